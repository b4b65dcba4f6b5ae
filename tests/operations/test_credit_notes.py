"""Credit notes: what is left of an invoice goes to the balance, never twice, never in cash."""

import asyncio

import pytest

from seatkeeper.domain.ids import InvoiceId
from seatkeeper.domain.refusals import Code, Refused
from seatkeeper.operations import credit_notes
from seatkeeper.operations.credit_notes import CreateCreditNote, ReadCreditNotes
from seatkeeper.operations.invoice_words import ReadBalance
from seatkeeper.operations.invoices import balance
from tests.money_world import day
from tests.operations.deals import as_owner, contract, credit
from tests.operations.workspaces import a_workspace
from tests.world import refused


async def billed(money, **how):
    buyer = await money.buyer("enterprise", **how)
    await contract(buyer, "enterprise_assisted", {"enterprise": 50})
    [invoice] = await buyer.invoices()
    return buyer, invoice


async def balance_of(buyer):
    return await balance(await buyer.ctx(), ReadBalance(organization=buyer.id))


async def test_t33_g6_a_credit_note_goes_to_the_balance_and_is_used_on_the_next_invoice(money):
    buyer, invoice = await billed(money)
    note = await credit(buyer, invoice.invoice, 200_000, reason="a closed team")
    assert (note.amount_minor, note.currency, note.reason) == (200_000, "USD", "a closed team")
    assert note.number.endswith("-CN-000001")
    owed = await balance_of(buyer)
    assert owed.balance_minor == 200_000
    assert owed.items[0].credit_note == note.credit_note
    await money.advance(day(2026, 4, 1))
    await buyer.add(10)
    last = await buyer.last()
    assert (last.total_minor, last.balance_used_minor, last.state) == (180_000, 180_000, "paid")
    assert await buyer.events("credit_note.") == ["credit_note.created"]


async def test_m10_never_more_than_what_is_left_of_the_invoice(money):
    buyer, invoice = await billed(money)
    await credit(buyer, invoice.invoice, 1_000_000, currency="USD")
    async with refused(Code.INVALID_REQUEST, left_minor=200_000):
        await credit(buyer, invoice.invoice, 200_001)
    await credit(buyer, invoice.invoice, 200_000)
    async with refused(Code.INVALID_REQUEST, left_minor=0):
        await credit(buyer, invoice.invoice, 1)
    # The invoice was open, and is paid with what was credited.
    given = [item.amount_minor for item in (await balance_of(buyer)).items]
    assert given == [-1_200_000, 200_000, 1_000_000]


async def test_m7_b071_two_credits_of_sixty_percent_at_once_and_one_wins(money):
    buyer, invoice = await billed(money)
    command = CreateCreditNote(
        organization=buyer.id,
        invoice=InvoiceId.parse(invoice.invoice),
        amount_minor=720_000,
        reason="twice",
    )

    async def once():
        try:
            return await credit_notes.create(await buyer.act(manager=True), command)
        except Refused as error:
            return error.refusal.code

    outcomes = await asyncio.gather(*[once() for _ in range(6)])
    assert sorted(map(str, outcomes)).count("invalid_request") == 5
    assert (await balance_of(buyer)).balance_minor == 720_000


async def test_b075_m13_the_currency_is_that_of_the_invoice(money):
    buyer, invoice = await billed(money)
    async with refused(Code.CURRENCY_MISMATCH):
        await credit(buyer, invoice.invoice, 100, currency="EUR")


async def test_b073_a_void_invoice_is_not_credited_and_a_credited_one_not_voided(money):
    buyer, invoice = await billed(money, method=None)
    await credit(buyer, invoice.invoice, 100)
    async with refused(Code.STATE_CONFLICT, state="credited"):
        await buyer.void(invoice.invoice)
    other, second = await billed(money, method=None)
    await other.void(second.invoice)
    async with refused(Code.STATE_CONFLICT, state="void"):
        await credit(other, second.invoice, 100)


async def test_a32_m7_only_an_account_manager_credits(money):
    buyer, invoice = await billed(money)
    async with refused(Code.FORBIDDEN):
        await credit(buyer, invoice.invoice, 100, account_manager=False)
    command = CreateCreditNote(
        organization=buyer.id,
        invoice=InvoiceId.parse(invoice.invoice),
        amount_minor=100,
        reason="mine",
    )
    async with refused(Code.CONTRACT_MANAGED):
        await credit_notes.create(await as_owner(buyer, account_manager=True), command)


async def test_x1_an_invoice_of_another_organization_is_not_there(money):
    buyer, _ = await billed(money)
    _, foreign = await billed(money)
    async with refused(Code.NOT_FOUND):
        await credit(buyer, foreign.invoice, 100)


@pytest.mark.parametrize("limit", [1, 2, 50])
async def test_m5_credit_notes_are_numbered_without_gaps_and_listed_newest_first(money, limit):
    buyer, invoice = await billed(money)
    made = [(await credit(buyer, invoice.invoice, n)).number for n in (1, 2, 3)]
    assert [number[-6:] for number in made] == ["000001", "000002", "000003"]
    found, after = [], None
    while True:
        command = ReadCreditNotes(organization=buyer.id, limit=limit, after=after)
        page = await credit_notes.list_all(await buyer.ctx(), command)
        found += [item.number for item in page.items]
        if (after := page.next) is None:
            break
    assert found == made[::-1]


async def test_m10_a99_who_is_credited_all_they_owe_is_not_in_arrears(money):
    buyer, invoice = await billed(money, method=None)
    await credit(buyer, invoice.invoice, invoice.total_minor - 1)
    assert (await buyer.last()).state == "open"
    await credit(buyer, invoice.invoice, 1)
    assert ((await buyer.last()).state, (await balance_of(buyer)).balance_minor) == ("paid", 0)
    await money.advance(day(2026, 4, 1))
    assert (await buyer.subscription()).status == "active"
    row = await money.row(
        "select provider, state, amount_minor from payment where organization_id = $1",
        buyer.organization_id,
    )
    assert tuple(row) == ("balance", "succeeded", invoice.due_minor)


async def test_m10_a99_what_is_owed_to_them_is_used_before_anybody_is_in_arrears(money):
    buyer, invoice = await billed(money, method=None)
    paid = await buyer.record(invoice.invoice)
    await buyer.add(1, manager=True)
    # The balance comes after the invoice, from another one that was paid.
    await credit(buyer, paid.invoice, 300_00)
    owed = await buyer.last()
    assert (owed.state, owed.due_minor) == ("open", 240_00)
    await money.advance(day(2026, 1, 31, 9))
    assert ((await buyer.last()).state, (await buyer.subscription()).status) == ("paid", "active")
    assert (await balance_of(buyer)).balance_minor == 60_00


async def test_m10_a_credit_that_covers_the_debt_ends_the_arrears(money):
    buyer, invoice = await billed(money, method=None)
    await money.advance(day(2026, 2, 5))
    assert (await buyer.subscription()).status == "past_due"
    await credit(buyer, invoice.invoice, invoice.total_minor)
    on = await buyer.subscription()
    assert (on.status, on.grace_ends_at) == ("active", None)


async def test_m10_t8_a_credit_note_of_what_a_member_paid_is_the_members(money):
    place = await a_workspace(money)
    (invoice,) = await place.buyer.invoices()
    await credit(place.buyer, invoice.invoice, invoice.total_minor)
    assert (await balance_of(place.buyer)).balance_minor == 0
    assert (await place.show()).balance_minor == invoice.total_minor
    await money.advance(day(2026, 2, 1))
    assert (await place.buyer.last()).balance_used_minor == invoice.total_minor
