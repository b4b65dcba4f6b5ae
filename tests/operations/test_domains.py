"""Domains from which an organization lets people in by invitation."""

import pytest

from seatkeeper.domain.refusals import Code, Way
from seatkeeper.operations import invitations, organizations
from seatkeeper.operations.invitations import CreateInvitations, Invite
from seatkeeper.operations.organizations import ChangeOrganization
from tests.operations.people import accept, invite, listed, resend
from tests.world import refused


async def allow(house, *domains, actor=None, if_match=None):
    ctx = await house.ctx(actor)
    ctx.if_match = if_match
    command = ChangeOrganization(organization=house.id, allowed_domains=list(domains))
    return await organizations.change(ctx, command)


async def ask(house, *emails, partial=False):
    asked = [Invite(email=email) for email in emails]
    command = CreateInvitations(organization=house.id, invitations=asked, partial=partial)
    return (await invitations.create(await house.ctx(), command)).items


@pytest.fixture
async def house(world):
    return await world.organization("enterprise", seats={"enterprise": 9})


async def test_a52_without_a_setting_everyone_can_be_invited(house):
    assert (await organizations.show(await house.ctx(), of(house))).allowed_domains == []
    assert len(await ask(house, "ada@example.com", "bob@elsewhere.example")) == 2


async def test_a52_domains_are_kept_in_their_one_spelling_each_once(house):
    made = await allow(house, "Example.COM.", "bücher.example", "XN--BCHER-KVA.example")
    assert made.allowed_domains == ["example.com", "xn--bcher-kva.example"]
    assert (await allow(house, "bücher.example", "example.com")).version == made.version
    row = await house.world.row(
        "select facts from event where organization_id = $1 and kind = 'organization.changed'",
        house.organization_id,
    )
    assert row["facts"] == {
        "before": {"allowed_domains": []},
        "after": {"allowed_domains": made.allowed_domains},
    }
    assert (await allow(house)).allowed_domains == []  # none named: everyone again


async def test_a52_what_is_no_domain_is_named_by_its_place(house):
    async with refused(Code.INVALID_REQUEST) as found:
        await allow(house, "example.com", "@example.com")
    assert found[0].facts["errors"][0]["pointer"] == "/allowed_domains/1"


async def test_a52_who_manages_settings_sets_them_on_the_version_they_read(house):
    admin = await house.member("admin", role="admin")
    async with refused(Code.FORBIDDEN):
        await allow(house, "example.com", actor=admin)
    made = await allow(house, "example.com", actor=house.owner, if_match=1)
    assert made.version == 2
    async with refused(Code.PRECONDITION_FAILED, version=2):
        await allow(house, "example.org", actor=house.owner, if_match=1)


async def test_a52_an_invitation_goes_to_an_allowed_domain_only(house):
    await allow(house, "example.com", "bücher.example")
    async with refused(Code.DOMAIN_NOT_VERIFIED, domain="mail.example.com") as found:
        await ask(house, "ada@example.com", "bob@mail.example.com")
    assert found[0].facts["emails"] == ["bob@mail.example.com"]
    assert [r.way for r in found[0].ways_out] == [Way.CORRECT_REQUEST, Way.ASK_OWNER]
    assert await house.seats() == (9, 0, 0, 0)  # all or none
    made = await ask(house, "Ada@EXAMPLE.com", "eve@BÜCHER.example", "ivy@xn--bcher-kva.example")
    assert all(one.invitation for one in made)


async def test_a52_of_many_each_address_is_answered_by_itself(house):
    await ask(house, "cid@example.com")
    await allow(house, "example.com")
    asked = ["ada@example.com", "bob@example.org", "cid@example.com", "bob@example.org"]
    made = await ask(house, *asked, partial=True)
    expected = [None, "domain_not_verified", "already_exists", "domain_not_verified"]
    assert [one.code for one in made] == expected
    assert made[1].detail == "The organization lets nobody in from the domain example.org."
    assert await house.seats() == (9, 0, 2, 0)


async def test_a52_a_domain_that_is_not_let_in_any_more_is_neither_sent_to_nor_accepted(
    world, house
):
    [sent] = await invite(house, "ada")
    await allow(house, "example.org")
    async with refused(Code.DOMAIN_NOT_VERIFIED):
        await resend(house, sent)
    async with refused(Code.DOMAIN_NOT_VERIFIED, domain="example.com"):
        await accept(world, sent.token)
    assert [one.state for one in await listed(house)] == ["pending"]
    assert await house.seats() == (9, 0, 1, 0)
    await allow(house, "example.org", "example.com")
    assert (await accept(world, sent.token)).state == "seated"
    await allow(house, "example.org")
    assert (await accept(world, sent.token)).existed  # who is in stays in


def of(house):
    return organizations.ReadOrganization(organization=house.id)
