"""What account managers do: contracts, signatures, amendments and credit notes of a buyer."""

from seatkeeper.domain.ids import AmendmentId, InvoiceId
from seatkeeper.domain.members import Role
from seatkeeper.operations import amendments, contracts, credit_notes, upcoming
from seatkeeper.operations.accounts import account_at_end
from seatkeeper.operations.amendment_words import (
    AcceptAmendment,
    CreditOnInvoice,
    DeclineAmendment,
    QuoteAmendment,
    ReadAmendment,
    RequestAmendment,
    SeatDelta,
)
from seatkeeper.operations.asked import SeatQuantity
from seatkeeper.operations.context import Actor
from seatkeeper.operations.contract_terms import AgreedPrice, AgreedPrices
from seatkeeper.operations.contracts import PutContract, ReadContract, SignContract
from seatkeeper.operations.standing import lock_current
from tests.domain.shipped import DOCUMENTS
from tests.money_world import Buyer


def seats_of(seats):
    return [SeatQuantity(seat_type=key, quantity=n) for key, n in (seats or {}).items()]


def prices_of(units, base=None):
    if units is None:
        return None
    agreed = [AgreedPrice(seat_type=key, unit_minor=n) for key, n in units.items()]
    return AgreedPrices(seats=agreed, base_minor=base)


async def contract(buyer: Buyer, plan, seats=None, *, prices=None, **more):
    """Puts a buyer under a contract."""
    command = PutContract(
        organization=buyer.id,
        plan=plan,
        seats=seats_of(seats),
        prices=prices_of(prices),
        account_manager=more.pop("account_manager", "Grace Hopper"),
        **more,
    )
    made = await contracts.put(await buyer.act(manager=True), command)
    await buyer.refresh()
    return made


async def shown(buyer: Buyer):
    """Its contract."""
    return await contracts.show(await buyer.ctx(), ReadContract(organization=buyer.id))


async def sign(buyer: Buyer, *, seats=None, prices=None, **more):
    """Signs what follows."""
    command = SignContract(
        organization=buyer.id, seats=seats_of(seats), prices=prices_of(prices), **more
    )
    signed = await contracts.sign(await buyer.act(manager=True), command)
    await buyer.refresh()
    return signed


async def request(buyer: Buyer, seats=None, *, account_manager=False, **more):
    """Asks for an amendment; `seats` are seats to add or take."""
    deltas = [SeatDelta(seat_type=key, change=n) for key, n in (seats or {}).items()]
    command = RequestAmendment(organization=buyer.id, seats=deltas, **more)
    return await amendments.request(await buyer.act(manager=account_manager), command)


async def quote(buyer: Buyer, amendment, *, prices=None, credit=None, **more):
    """The account manager's offer."""
    if credit is not None:
        credit = CreditOnInvoice(invoice=InvoiceId.parse(credit[0]), amount_minor=credit[1])
    command = QuoteAmendment(
        organization=buyer.id,
        amendment=AmendmentId.parse(amendment),
        prices=prices_of(prices),
        credit=credit,
        **more,
    )
    return await amendments.quote(await buyer.act(manager=True), command)


async def accept(buyer: Buyer, amendment, *, account_manager=False, **more):
    """Accepts an offer."""
    command = AcceptAmendment(organization=buyer.id, amendment=AmendmentId.parse(amendment), **more)
    accepted = await amendments.accept(await buyer.act(manager=account_manager), command)
    await buyer.refresh()
    return accepted


async def decline(buyer: Buyer, amendment, **more):
    """Declines an amendment."""
    command = DeclineAmendment(
        organization=buyer.id, amendment=AmendmentId.parse(amendment), **more
    )
    return await amendments.decline(await buyer.ctx(), command)


async def amendment(buyer: Buyer, of):
    """One amendment."""
    command = ReadAmendment(organization=buyer.id, amendment=AmendmentId.parse(of))
    return await amendments.show(await buyer.ctx(), command)


async def agreed(buyer: Buyer, seats=None, *, plan=None, **more):
    """An amendment asked for, offered and accepted."""
    asked = await request(buyer, seats, plan=plan, note="by e-mail")
    offered = await quote(buyer, asked.amendment, **more)
    return await accept(buyer, offered.amendment)


async def credit(buyer: Buyer, invoice, amount, *, account_manager=True, **more):
    """Credits a part of an invoice."""
    command = credit_notes.CreateCreditNote(
        organization=buyer.id,
        invoice=InvoiceId.parse(invoice),
        amount_minor=amount,
        reason=more.pop("reason", "as agreed"),
        **more,
    )
    return await credit_notes.create(await buyer.act(manager=account_manager), command)


async def coming(buyer: Buyer):
    """What comes next."""
    command = upcoming.ReadUpcoming(organization=buyer.id)
    return await upcoming.show(await buyer.ctx(), command)


async def as_owner(buyer: Buyer, *, account_manager=False):
    """A request in the owner's name."""
    ctx = await buyer.act(manager=account_manager)
    ctx.actor = Actor(buyer.owner, Role.PRIMARY_OWNER, may_bill=True)
    return ctx


def plan(*path):
    """A shipped plan, to be shelved under another name."""
    catalog, key = path if len(path) == 2 else ("workspace", path[0])
    return {**DOCUMENTS[catalog]["plans"][key]}


async def account(ctx, db):
    """The account of the organization, as the end of its period finds it."""
    subscription = await lock_current(ctx, db)
    assert subscription is not None
    return await account_at_end(ctx, db, subscription)
