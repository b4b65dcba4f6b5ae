"""The verbs of the scenarios about workspaces whose members pay for themselves."""

from dataclasses import dataclass, field
from typing import Any

from seatkeeper.domain.ids import MemberId, OrganizationId
from seatkeeper.domain.refusals import Refusal
from seatkeeper.operations import invitations, member_subscriptions, seats
from seatkeeper.operations.acceptance import AcceptInvitation
from seatkeeper.operations.context import Context, new_id
from seatkeeper.operations.seats import ReadSeatHistory, ReadSeats
from tests.money_world import Buyer, MoneyWorld
from tests.operations.people import invite, page
from tests.world import KEY


@dataclass
class Workspace:
    """A buyer on the workspace plans, and who is in it."""

    buyer: Buyer
    mark: str
    people: dict[str, MemberId] = field(default_factory=dict)

    async def sign_up(self, name="owner", plan="pro", method="sandbox_ok", **how):
        command = member_subscriptions.SubscribeMember(
            organization=self.buyer.id,
            member=self.people[name],
            plan=plan,
            price=how.get("price"),
            payment_method=method,
        )
        ctx = await self.buyer.ctx(how.get("actor"))
        ctx.idempotency_key = how.get("key")
        return await member_subscriptions.subscribe(ctx, command)

    async def ask(self, verb, name="owner", actor=None):
        """`show`, `cancel` or `resume`."""
        kind = {
            "show": member_subscriptions.ReadMemberSubscription,
            "cancel": member_subscriptions.CancelMemberSubscription,
            "resume": member_subscriptions.ResumeMemberSubscription,
        }[verb]
        command = kind(organization=self.buyer.id, member=self.people[name])
        return await getattr(member_subscriptions, verb)(await self.buyer.ctx(actor), command)

    async def show(self, name="owner", actor=None):
        return await self.ask("show", name, actor)

    async def invite(self, name):
        return (await invite(self.buyer, name))[0]

    async def accept(self, invited, name, method="sandbox_ok"):
        """The invited person comes in, or the refusal that their payment met."""
        world = self.buyer.world
        ctx = Context(world.engine, KEY, world.now, new_id())
        command = AcceptInvitation(
            token=invited.token,
            user=f"{name}-{self.mark}",
            email=f"{name}@example.com",
            name=name.capitalize(),
            payment_method=method,
        )
        member = await invitations.accept(ctx, command)
        if not isinstance(member, Refusal):
            self.people[name] = MemberId.parse(member.member)
        return member

    async def join(self, name, method="sandbox_ok"):
        return await self.accept(await self.invite(name), name, method)

    async def state(self, name="owner"):
        members = [
            *(await page(self.buyer)).items,
            *(await page(self.buyer, state="removed")).items,
        ]
        return {m.member: m.state for m in members}[MemberId.text(self.people[name])]

    async def seats(self):
        """(purchased, assigned) over everybody."""
        found = await seats.summary(await self.buyer.ctx(), ReadSeats(organization=self.buyer.id))
        return sum(s.purchased for s in found.items), sum(s.assigned for s in found.items)

    async def history(self, name):
        command = ReadSeatHistory(organization=self.buyer.id, member=self.people[name])
        held = (await seats.history(await self.buyer.ctx(), command)).items
        return [(h.rule, h.ended_rule) for h in held[::-1]]


async def a_workspace(money: MoneyWorld, plan: str | None = "pro", **how: Any) -> Workspace:
    """A workspace whose owner has signed up (`plan=None`: not yet)."""
    buyer = await money.buyer("workspace", method=None, **how)
    owner = MemberId(int=buyer.owner.int)
    found = Workspace(buyer, new_id().hex[-12:], {"owner": owner})
    if plan is not None:
        await found.sign_up(plan=plan)
    return found


async def homes(money: MoneyWorld, name: str, mark: str) -> list[Workspace]:
    """The workspaces which that person owns, oldest first, looked after from now on."""
    rows = await money.rows(
        """select m.organization_id, m.member_id from member m
             join user_account u using (user_id)
            where u.external_id = $1 and m.role = 'primary_owner' order by m.organization_id""",
        f"{name}-{mark}",
    )
    found = []
    for row in rows:
        organization_id = OrganizationId(int=row["organization_id"].int)
        buyer = Buyer(money, organization_id, None, clock_id=money.clock_id)
        owner = MemberId(int=row["member_id"].int)
        buyer.owner = owner
        if organization_id not in {h.organization_id for h in money.houses}:
            money.houses.append(buyer)
        found.append(Workspace(buyer, mark, {"owner": owner, name: owner}))
    return found


async def accept_as(place, invited, user, method=None):

    world = place.buyer.world
    command = AcceptInvitation(
        token=invited.token,
        user=user,
        email=invited.invitation.email,
        name="Ada",
        payment_method=method,
    )
    return await invitations.accept(Context(world.engine, KEY, world.now, new_id()), command)


async def user_of(money, member):
    row = await money.row(
        "select external_id from user_account join member using (user_id) where member_id = $1",
        member,
    )
    return row["external_id"]


async def pays_with(place, method, name="owner"):
    command = member_subscriptions.ChangePaymentMethod(
        organization=place.buyer.id, member=place.people[name], payment_method=method
    )
    return await member_subscriptions.pay_with(await place.buyer.ctx(), command)
