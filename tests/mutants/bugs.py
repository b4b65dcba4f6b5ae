"""Bugs on purpose: each is an edit of our code that a named test must notice.

An edit is (file below src/seatkeeper, text as it stands, text with the bug). A text that is not
there any more fails the run: a mutant that changes nothing would prove nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

Edit = tuple[str, str, str]

SEATS, RENEWALS, SCHEMA = "store/seats.sql", "store/renewals.sql", "store/schema.sql"
INVITATIONS, DATABASE, KEYS = "store/invitations.sql", "store/database.py", "store/idempotency.sql"
ATTEMPTS, CONTEXT = "operations/attempts.py", "operations/context.py"
SETTLING, HTTP, PRICES = "operations/settlements.py", "api/http.py", "domain/prices.py"

LAST_SEATS = "tests/races/test_last_seats.py"
INTERLEAVED = "tests/races/test_interleavings.py"
GUARD = "tests/store/test_guard_equals_decision.py"
MODEL = "tests/model/test_model.py"
QUEUE = "tests/operations/test_seat_requests.py"
INVITED = "tests/races/test_invitations.py"
MOVES = "tests/races/test_moves.py"
HUNG_UP = "tests/races/test_cancellation.py"
KILLED_WORKERS = "tests/chaos/test_renewals.py"
KILLED_SERVER = "tests/chaos/test_purchase.py"
MATRIX = "tests/api/test_matrix.py"
DISCOUNT, DISCOUNTED = "domain/discounts.py", "tests/domain/test_discounts.py"
PAYERS = "tests/api/test_payers.py"
LATE_MONEY = "tests/operations/test_late_money.py"
BOUNDS = "tests/operations/test_bounds.py"
BILLED = "tests/operations/test_billed.py"
SEAL = "tests/invariants/test_seal.py"


@dataclass(frozen=True)
class Bug:
    """One bug and the test that must fail with it."""

    name: str
    test: str
    edits: tuple[Edit, ...]


def bug(name: str, test: str, *edits: Edit) -> Bug:
    return Bug(name, test, edits)


def without(file: str, text: str) -> Edit:
    """The edit that takes a text out."""
    return file, text, ""


GUARDED = "least(purchased, ceiling) - assigned - held as fits"
FROM_LOCK = """set purchased = m.purchased, assigned = m.assigned + m.seats, held = m.held,"""
NO_CHECK = (
    SCHEMA,
    "check (assigned + held <= purchased or state = 'over_limit')",
    "check (assigned + held is not null)",
)

SEAT_BUGS = (
    bug(
        "count then insert: no lock between the two",
        LAST_SEATS,
        (
            SEATS,
            "               for no key update) p\n     -- Read",
            "               ) p\n     -- Read",
        ),
        NO_CHECK,
    ),
    bug("no guard in the statement", GUARD, (SEATS, GUARDED, "1000 as fits"), NO_CHECK),
    bug(
        "the guard forgets what invitations hold",
        GUARD,
        (SEATS, GUARDED, "least(purchased, ceiling) - assigned as fits"),
        NO_CHECK,
    ),
    bug(
        "the guard forgets a coming plan's limit",
        GUARD,
        (SEATS, GUARDED, "purchased - assigned - held as fits"),
    ),
    bug("no CHECK", GUARD, NO_CHECK),
    bug(
        "no partial unique index on live seats",
        GUARD,
        (SCHEMA, "create unique index assignment_live_once", "create index assignment_live_once"),
        (
            SEATS,
            "on conflict (organization_id, member_id, exclusivity_set) where ended_at is null",
            "on conflict",
        ),
    ),
    bug(
        "seats are added to the row as it was before the lock",
        INTERLEAVED,
        (SEATS, FROM_LOCK, "set assigned = p.assigned + m.seats,"),
    ),
    bug(
        "only the assigned seats come from the locked row",
        INTERLEAVED,
        (SEATS, FROM_LOCK, "set assigned = m.assigned + m.seats,"),
    ),
    bug(
        "only the freed seats come from the locked row",
        INTERLEAVED,
        (
            SEATS,
            "set purchased = e.purchased, assigned = e.assigned - e.seats, held = e.held,",
            "set assigned = e.assigned - e.seats,",
        ),
    ),
    bug(
        "freeing counts those who were asked, not those who sat",
        INTERLEAVED,
        (
            SEATS,
            "(assignment_id in (select assignment_id from ended)) is true\n             group",
            "free\n             group",
        ),
    ),
    bug(
        "a move does not lock the pools",
        MOVES,
        (SEATS, "   for no key update\n\n-- pools: The", "\n-- pools: The"),
    ),
    bug(
        "a freed seat does not go to who waits",
        QUEUE,
        (SEATS, "p.waiting = 0 and not p.every_member as free", "not p.every_member as free"),
    ),
    bug(
        "the queue serves the last first",
        MODEL,
        (
            SEATS,
            " order by queued_at, request_id\n limit :most",
            " order by queued_at desc, request_id desc\n limit :most",
        ),
    ),
    bug(
        "a hold is released by revoking and by expiring",
        INVITED,
        (
            INVITATIONS,
            "       and state = 'pending'\n    returning invitation_id, role\n), released",
            "    returning invitation_id, role\n), released",
        ),
        (
            INVITATIONS,
            " and h.released_at is null\n    returning h.invitation_id, h.pool_id",
            "\n    returning h.invitation_id, h.pool_id",
        ),
    ),
    bug(
        "accepting takes a second seat",
        MODEL,
        (INVITATIONS, "set held = p.held - 1, assigned", "set held = p.held, assigned"),
    ),
)

TIME_BUGS = (
    bug(
        "renewal without lock and without a unique period",
        KILLED_WORKERS,
        without(RENEWALS, "   for no key update of s skip locked\n"),
        (
            SCHEMA,
            "constraint period_once primary key (organization_id, subscription_id, starts_at)",
            "constraint period_once check (true)",
        ),
        (
            SCHEMA,
            "constraint invoice_cause_once unique (organization_id, cause, cause_id)",
            "constraint invoice_cause_once check (true)",
        ),
    ),
    bug(
        "the next period counts from the previous one",
        "tests/domain/test_ten_years.py",
        (
            "domain/renewals.py",
            "    period = subscription.recurrence.period(number)\n",
            """    from seatkeeper.domain.periods import Recurrence
    start, zone = subscription.period.end, subscription.time_zone
    period = Recurrence(start, subscription.price.billing, zone).period(0)
""",
        ),
    ),
    bug(
        "an end that is included",
        "tests/domain/test_subscriptions.py",
        (
            "domain/subscriptions.py",
            "return stop is None or now < stop",
            "return stop is None or now <= stop",
        ),
    ),
)

MONEY_BUGS = (
    bug(
        "rounding per seat",
        MODEL,
        (
            PRICES,
            "due = price.charged(above(target), share)",
            """seats = max(target - day.paid, 1)
    due = seats * price.charged(above(target) // seats, share)""",
        ),
    ),
    bug(
        "each click rounds for itself",
        MODEL,
        (
            PRICES,
            "due=due - day.billed",
            "due=price.charged(seat_price.amount(target) - seat_price.amount(before), share)",
        ),
    ),
    bug(
        "a discount is off a period too many",
        DISCOUNTED,
        (DISCOUNT, "self.used >= self.periods", "self.used > self.periods"),
    ),
    bug(
        "the discount is rounded and not the charge",
        DISCOUNTED,
        (
            DISCOUNT,
            "return round_half_up(amount * part * (WHOLE - self.basis_points), whole * WHOLE)",
            """off = round_half_up(amount * part * self.basis_points, whole * WHOLE)
        return round_half_up(amount * part, whole) - off""",
        ),
    ),
    bug(
        "a credit forgets what the discount was",
        DISCOUNTED,
        (
            "domain/unused.py",
            "off = Off(part.basis_points)",
            "off = Off()",
        ),
    ),
    bug(
        "a credit forgets what a credit note took",
        BILLED,
        ("domain/billed.py", "if each.full_minor > 0 and each.noted_minor:", "if not each:"),
    ),
    bug(
        "a void invoice is given back",
        BILLED,
        (
            "store/invoices.sql",
            "i.subscription_id = :subscription_id and i.state in ('open', 'paid')\n",
            "i.subscription_id = :subscription_id and i.state in ('open', 'paid', 'void')\n",
        ),
    ),
    bug(
        "converted seats come back at the price of today",
        BILLED,
        (
            "domain/prices.py",
            "if difference >= 0 or day.worth in (None, own) or left == 0:",
            "if difference >= 0 or day.worth in (None, own) or paid:",
        ),
    ),
    bug(
        "a sideways change of plan gives seats back",
        BILLED,
        (
            "domain/terms.py",
            "paid=account.subscription.number >= 0)",
            "paid=account.subscription.number < -1)",
        ),
    ),
    bug(
        "fewer seats on another plan earn money",
        BILLED,
        (
            "domain/terms.py",
            "if is_fewer(account, quantities, now) else None",
            "if is_fewer(account, quantities, now) and not terms else None",
        ),
    ),
    bug(
        "a contract forgets the paid level",
        BILLED,
        ("operations/effects.py", 'row["level"] if kept else 0', "0 if kept else 0"),
    ),
    bug(
        "a declined payment leaves its seats",
        MODEL,
        (
            SETTLING,
            "        elif result.outcome is Outcome.SUCCEEDED:",
            "        elif result.outcome in (Outcome.SUCCEEDED, Outcome.DECLINED):",
        ),
    ),
    bug(
        "a new key at the rail for a retry",
        KILLED_SERVER,
        (SETTLING, 'Charge(payment["provider_key"],', 'Charge(payment["provider_key"] + "-2",'),
    ),
    bug(
        "money that comes late is kept",
        LATE_MONEY,
        (
            ATTEMPTS,
            "await credit(ctx, db, invoice_id, (payment_id, result))",
            "await note(ctx, db, payment_id, result)",
        ),
    ),
    bug(
        "money that comes late is credited each time someone asks",
        LATE_MONEY,
        (
            "store/payments.sql",
            "and payment_id = :payment_id and state <> 'succeeded'",
            "and payment_id = :payment_id",
        ),
    ),
    bug(
        "a bill is not looked at",
        BOUNDS,
        (
            "domain/bounds.py",
            "if abs(line.amount_minor) > line.ceiling_minor:",
            "if not line.kind:",
        ),
    ),
    bug(
        "the seal leaves the period of a line out",
        SEAL,
        without(SCHEMA, "extract(epoch from l.period_starts_at), "),
    ),
)

EDGE_BUGS = (
    bug(
        "idempotency keys are everybody's",
        "tests/operations/test_idempotency.py",
        (
            KEYS,
            "on k.principal_id = :principal_id and k.key_hash = :key_hash",
            "on k.key_hash = :key_hash",
        ),
        (CONTEXT, "(self.principal.key_id.bytes, organization,", "(organization,"),
    ),
    bug(
        "tokens are kept as they are",
        "tests/operations/test_sealing.py",
        (HTTP, "return operation.tells_secret or", "return"),
    ),
    bug(
        "a walker that slept goes on beside its successor",
        "tests/operations/test_clocks.py",
        ("store/clocks.sql", "and epoch = :epoch for key share", "for key share"),
    ),
    bug(
        "an advance that was cut off stays so",
        "tests/operations/test_clocks.py",
        ("store/clocks.sql", "and lease_until <= :now", "and lease_until > :now"),
    ),
    bug("the answer is not kept", KILLED_SERVER, (KEYS, "body = excluded.body", "body = ''")),
    bug(
        "a commit can be hung up on",
        HUNG_UP,
        (DATABASE, "_to_the_end(transaction.commit())", "asyncio.shield(transaction.commit())"),
    ),
    bug(
        "a member may say that an invoice is paid",
        MATRIX,
        without("operations/payments.py", "    _vendor_only(ctx)\n"),
    ),
    bug(
        "a key reaches every organization",
        MATRIX,
        (HTTP, "if bound is not None and bound != command.organization:", "if bound == 0:"),
    ),
    bug(
        "roles are not asked",
        MATRIX,
        (
            HTTP,
            "if refusal is not None and not (operation",
            "if refusal is None and not (operation",
        ),
    ),
    bug(
        "whoever is a member settles whatever a member pays",
        PAYERS,
        ("store/workspace.sql", "and s.payer_member_id = :member_id\n       and i", "and i"),
    ),
)

BUGS = (*SEAT_BUGS, *TIME_BUGS, *MONEY_BUGS, *EDGE_BUGS)
