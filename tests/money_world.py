"""Buyers: organizations that subscribe, pay and renew through the operations, on a test clock.

`money.buyer("enterprise", plan="enterprise", seats={...})` subscribes; `buyer.change(...)`,
`buyer.quote(...)` and `buyer.accept(...)` act at `money.now`; `money.advance(to)` moves the clock
and does everything due. At the end every buyer's books are checked from the raw rows.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from seatkeeper.domain.catalog_format import plans_from
from seatkeeper.domain.ids import ClockId, InvoiceId, MemberId, OrganizationId, PaymentId, QuoteId
from seatkeeper.domain.refusals import Refusal
from seatkeeper.operations import (
    changes,
    clocks,
    invitations,
    invoice_words,
    invoices,
    members,
    organizations,
    payments,
    quotes,
    subscriptions,
)
from seatkeeper.operations.asked import PurchaseSeats, ReduceSeats, SeatQuantity, Subscribe
from seatkeeper.operations.assemble import assemble
from seatkeeper.operations.context import Context, Principal, new_id
from seatkeeper.operations.invoice_words import Invoice
from seatkeeper.store.database import open_database
from tests.domain.shipped import DOCUMENTS
from tests.ticking import advanced
from tests.world import KEY, House, World, _shelve

ACCOUNT_MANAGER = Principal(UUID(int=2), "account manager", "account_manager", frozenset())
NEW_YEAR = datetime(2026, 1, 1, 9, tzinfo=UTC)

# Rows that say that the books are wrong; each statement must give none.
BOOKS = {
    "seats that no ledger entry explains": """
        select p.seat_type, p.purchased from seat_pool p where p.organization_id = $1
           and p.purchased <> (select coalesce(sum(l.delta), 0) from seat_ledger l
                where l.organization_id = $1 and l.pool_id = p.pool_id)""",
    "a pool that says open and is over, or the other way round": """
        select seat_type from seat_pool where organization_id = $1
           and (assigned + held > purchased) <> (state = 'over_limit')""",
    "an invoice that is not the sum of its lines": """
        select i.number from invoice i where i.organization_id = $1
           and i.subtotal_minor <> (select coalesce(sum(l.amount_minor), 0) from invoice_line l
                where l.organization_id = $1 and l.invoice_id = i.invoice_id)""",
    "numbers with a gap": """
        select a.invoice_count from billing_account a where a.organization_id = $1
           and (select coalesce(array_agg(right(i.number, 6)::int order by i.number), '{}')
                from invoice i where i.organization_id = $1 and i.number is not null)
             <> (select coalesce(array_agg(n), '{}') from generate_series(1, a.invoice_count) n)""",
    "a balance that its entries do not explain": """
        select a.balance_minor from (
            select balance_minor, null::uuid as member_id from billing_account
             where organization_id = $1
            union all select balance_minor, member_id from member_account
             where organization_id = $1) a
         where a.balance_minor <> (select coalesce(sum(e.amount_minor), 0) from balance_entry e
            where e.organization_id = $1 and e.member_id is not distinct from a.member_id)""",
    "a paid invoice without its one payment": """
        select i.number from invoice i where i.organization_id = $1 and i.state = 'paid'
           and i.due_minor > 0 and 1 <> (select count(*) from payment p
                where p.organization_id = $1 and p.invoice_id = i.invoice_id
                  and p.state = 'succeeded' and not p.credited
                  and p.amount_minor = i.due_minor)""",
    "money that moved and paid for nothing": """
        select p.provider_key from payment p
          join sandbox_charge c on c.provider_key = p.provider_key and c.outcome = 'succeeded'
          join invoice i on i.organization_id = $1 and i.invoice_id = p.invoice_id
         where p.organization_id = $1 and (p.state <> 'succeeded' or c.amount_minor <> i.due_minor
            or (i.state <> 'paid' and not p.credited))""",
    "a payment of the sandbox that the sandbox does not know": """
        select p.provider_key from payment p where p.organization_id = $1
           and p.provider = 'sandbox' and p.state = 'succeeded' and not exists (
             select 1 from sandbox_charge c where c.provider_key = p.provider_key
                and c.outcome = 'succeeded')""",
    "periods that do not tile": """
        select p.starts_at, p.ends_at, p.next from (
            select *, lead(starts_at) over (partition by subscription_id order by starts_at) as next
              from period where organization_id = $1) p where p.next <> p.ends_at""",
    "an invoice that nobody sealed": """
        select number from invoice where organization_id = $1 and number is not null
           and content_hash is null""",
}


@dataclass
class Buyer(House):
    """One organization that pays."""

    clock_id: UUID | None = None

    async def act(
        self, *, key: str | None = None, if_match: int | None = None, **who: bool
    ) -> Context:
        """A fresh request, by the vendor's service or (`manager=True`) the account manager."""
        ctx = await self.ctx()
        if who.pop("manager", False):
            ctx.principal = ACCOUNT_MANAGER
        assert not who, who
        ctx.idempotency_key = key
        ctx.if_match = if_match
        return ctx

    async def ask(
        self, change: Any = None, *, quote: str | None = None, **how: Any
    ) -> changes.Change | Refusal:
        """Makes a change; a payment that fails comes back as the refusal it is."""
        fields = {name: how.pop(name) for name in ("payment_method", "resume") if name in how}
        quoted = None if quote is None else QuoteId.parse(quote)
        command = changes.MakeChange(organization=self.id, change=change, quote=quoted, **fields)
        outcome = await changes.make(await self.act(**how), command)
        await self.refresh()
        return outcome

    async def change(self, change: Any = None, **how: Any) -> changes.Change:
        """Makes a change that is not refused."""
        outcome = await self.ask(change, **how)
        assert isinstance(outcome, changes.Change), outcome
        return outcome

    async def quote(self, change: Any, **how: Any) -> quotes.Quote:
        """Asks what a change costs."""
        return await quotes.ask(
            await self.act(**how), quotes.AskQuote(organization=self.id, change=change)
        )

    async def add(self, quantity: int, seat_type: str | None = None, **how: Any) -> changes.Change:
        """Buys seats."""
        return await self.change(PurchaseSeats(quantity=quantity, seat_type=seat_type), **how)

    async def reduce(self, target: int, seat_type: str | None = None, **how: Any) -> changes.Change:
        """Asks for fewer seats."""
        now = how.pop("now", False)
        return await self.change(ReduceSeats(target=target, seat_type=seat_type, now=now), **how)

    async def subscription(self) -> subscriptions.SubscriptionView:
        """What it is on."""
        command = subscriptions.ReadSubscription(organization=self.id)
        return await subscriptions.show(await self.ctx(), command)

    async def invoices(self, state: Any = None) -> list[Invoice]:
        """What it was billed, oldest first."""
        command = invoice_words.ReadInvoices(organization=self.id, state=state, limit=200)
        page = await invoices.list_all(await self.ctx(), command)
        return page.items[::-1]

    async def totals(self) -> list[int]:
        """The totals of its invoices, oldest first. Units: minor."""
        return [invoice.total_minor for invoice in await self.invoices()]

    async def last(self) -> Invoice:
        """Its newest invoice."""
        return (await self.invoices())[-1]

    async def record(self, invoice: str, reference: str = "transfer 1") -> Invoice:
        """Someone marks an invoice as paid."""
        command = payments.RecordPayment(
            organization=self.id, invoice=InvoiceId.parse(invoice), reference=reference
        )
        return await payments.record(await self.ctx(), command)

    async def pay(self, invoice: str, method: str | None = None) -> Invoice | Refusal:
        """Pays an open invoice."""
        command = payments.PayInvoice(
            organization=self.id, invoice=InvoiceId.parse(invoice), payment_method=method
        )
        return await payments.pay(await self.ctx(), command)

    async def void(self, invoice: str) -> Invoice:
        """The vendor takes an invoice back."""
        command = payments.VoidInvoice(
            organization=self.id, invoice=InvoiceId.parse(invoice), reason="a mistake"
        )
        return await payments.void(await self.ctx(), command)

    async def confirm(self, payment: str) -> payments.Payment | Refusal:
        """The payer confirms."""
        command = payments.ConfirmPayment(organization=self.id, payment=PaymentId.parse(payment))
        return await payments.confirm(await self.ctx(), command)

    async def pays_with(self, method: str | None) -> None:
        """Another payment method, or none."""
        command = organizations.ChangeOrganization(organization=self.id, payment_method=method)
        await organizations.change(await self.ctx(), command)

    async def join(self, name: str, seat_type: str | None = None) -> MemberId:
        """Someone becomes a member, with a seat where one is named or the plan seats everyone."""
        seat: Any = None if seat_type or self.seats_everyone else "none"
        command = members.AddMember(
            organization=self.id,
            user=f"{name}-{self.organization_id}",
            email=f"{name}@example.com",
            name=name,
            seat_type=seat_type,
            seat=seat,
        )
        return MemberId.parse((await members.add(await self.ctx(), command)).member)

    async def crowd(self, count: int, seat_type: str | None = None) -> None:
        """Several join."""
        for n in range(count):
            await self.join(f"m{n}", seat_type)

    async def invite(self, *names: str, seat_type: str | None = None) -> invitations.Invitations:
        """Invites people."""
        asked = [invitations.Invite(email=f"{n}@example.com", seat_type=seat_type) for n in names]
        command = invitations.CreateInvitations(organization=self.id, invitations=asked)
        return await invitations.create(await self.ctx(), command)

    async def refresh(self) -> None:
        """Looks up its pools."""
        rows = await self.world.rows(
            """select p.seat_type, p.pool_id, p.every_member from seat_pool p
                 join subscription s using (organization_id, subscription_id)
                where p.organization_id = $1 and s.status not in ('ended', 'scheduled')
                order by p.rank, p.seat_type""",
            self.organization_id,
        )
        self.pools = {row["seat_type"]: row["pool_id"] for row in rows}
        self.seats_everyone = any(row["every_member"] for row in rows)

    seats_everyone: bool = False


@dataclass
class MoneyWorld(World):
    """A world with a test clock, on which its buyers live."""

    clock_id: UUID | None = None
    # Whose billing a test expects to be parked; nobody else's may be.
    parked: set[UUID] = field(default_factory=set)
    # Whether a test breaks something on purpose, so that due work meets a bug.
    breaks: bool = False

    @property
    def own_clock(self) -> ClockId:
        """Its clock, as commands name it."""
        assert self.clock_id is not None
        return ClockId(int=self.clock_id.int)

    async def vendor(self, principal: Principal = KEY) -> Context:
        """A request about no organization."""
        return Context(self.engine, principal, self.now, new_id())

    async def buyer(
        self, catalog: str = "enterprise", *, plan: str | None = None, **how: Any
    ) -> Buyer:
        """An organization created on the clock (`live=True`: without one), perhaps subscribed."""
        live = how.get("live", False)
        if not live and self.clock_id is None:
            fresh = clocks.CreateClock(name="clock", now=self.now)
            clock = await clocks.create(await self.vendor(), fresh)
            self.clock_id = ClockId.parse(clock.clock)
        mark = new_id().hex
        owner = organizations.NewPrimaryOwner(
            user=f"owner-{mark}", email=f"owner-{mark}@example.com", name="Owner"
        )
        command = organizations.CreateOrganization(
            name="Acme",
            currency=how.get("currency", "USD"),
            time_zone=how.get("zone", "UTC"),
            primary_owner=owner,
            catalog=catalog,
            clock=None if live else self.own_clock,
            payment_method=how.get("method", "sandbox_ok"),
        )
        made = await organizations.create(await self.vendor(), command)
        organization_id = OrganizationId.parse(made.organization)
        buyer = Buyer(self, organization_id, None, clock_id=None if live else self.clock_id)
        buyer.owner = MemberId.parse(str(made.primary_owner))
        self.houses.append(buyer)
        await buyer.refresh()
        if plan is not None:
            await buyer.change(subscribing(plan, how.get("seats", {}), how.get("price")))
        return buyer

    async def variant(
        self, name: str, plan: str, *, default_plan: str | None = None, **other: Any
    ) -> tuple[str, str]:
        """A catalog of its own with one shipped plan, some of its fields or policies different."""
        mark = new_id().hex[-12:]
        document = DOCUMENTS[name]
        keys = [plan] if default_plan is None else [plan, default_plan]
        shelf = {key: {**document["plans"][key]} for key in keys}
        policies = {**shelf[plan].get("policies", {}), **other.pop("policies", {})}
        shelf[plan] = {**shelf[plan], **other, "policies": policies}
        return await self.shelve(mark, shelf, default_plan), f"{plan}_{mark}"

    async def shelve(
        self, mark: str, shelf: Mapping[str, Any], default_plan: str | None = None
    ) -> str:
        """Keeps plans as a catalog; every key gets the mark, because keys are unique."""
        catalog = f"catalog_{mark}"
        document = {
            "catalog": catalog,
            "name": catalog,
            "plans": {f"{key}_{mark}": plan for key, plan in shelf.items()},
        }
        default = default_plan and f"{default_plan}_{mark}"
        await self.run(
            "insert into catalog values ($1, $1, $2, 5, $3, $4)",
            catalog,
            default,
            document,
            self.now,
        )
        for key, plan in plans_from(document).items():
            await self.run(
                "insert into plan_version values ($1, $2, $3, 1, $4, $5)",
                new_id(),
                catalog,
                key,
                plan,
                self.now,
            )
        return catalog

    async def advance(self, to: datetime) -> dict[str, int]:
        """Moves the clock; what was done on the way."""
        self.now, done = to, await advanced(await self.vendor(), self.own_clock, to)
        return done

    async def check(self) -> None:
        """Seats and books of everyone are in order."""
        await super().check()
        parked = await self.rows(
            "select organization_id, parked_reason from organization where parked_at is not null"
            " and organization_id = any($1)",
            [house.organization_id for house in self.houses],
        )
        assert {row["organization_id"] for row in parked} == self.parked, parked
        for house in self.houses:
            for wrong, sql in BOOKS.items():
                rows = await self.rows(sql, house.organization_id)
                assert not rows, f"{wrong}: {[dict(row) for row in rows]}"


def subscribing(plan: str, seats: Mapping[str, int], price: str | None = None) -> Subscribe:
    """To subscribe to a plan with so many seats."""
    wanted = [SeatQuantity(seat_type=key, quantity=n) for key, n in seats.items()]
    return Subscribe(plan=plan, price=price, seats=wanted)


def day(year: int, month: int, of_month: int, hour: int = 0) -> datetime:
    """An instant, in UTC."""
    return datetime(year, month, of_month, hour, tzinfo=UTC)


def shape(invoice: Invoice) -> list[tuple[str, int, int, int, int]]:
    """The lines of an invoice: kind, quantity, part and whole, amount."""
    return [(x.kind, x.quantity, x.part, x.of_parts, x.amount_minor) for x in invoice.lines]


@asynccontextmanager
async def a_money_world(dsn: str) -> AsyncIterator[MoneyWorld]:
    """A money world on a migrated database; its books are checked at the end."""
    database = await open_database(dsn)
    try:
        money = MoneyWorld(await assemble(database), NEW_YEAR)
        money.engine.clock = lambda: money.now
        await _shelve(money)
        with _faults() as faults:
            yield money
        await money.check()
        assert bool(faults) == money.breaks, faults
    finally:
        await database.close()


@contextmanager
def _faults() -> Iterator[list[str]]:
    """What due work logs as a bug and goes on after, which no test may overlook."""
    found: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.getMessage())

    listener = Listener(logging.ERROR)
    loggers = [logging.getLogger(f"seatkeeper.{name}") for name in ("renewals", "dunning")]
    for logger in loggers:
        logger.addHandler(listener)
    try:
        yield found
    finally:
        for logger in loggers:
            logger.removeHandler(listener)
