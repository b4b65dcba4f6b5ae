"""Organizations: create them with their first owner, read them, change what may be changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from seatkeeper.domain import addresses
from seatkeeper.domain.ids import ClockId, MemberId, OrganizationId
from seatkeeper.domain.members import Permission, decide_permission
from seatkeeper.domain.money import MINOR_DIGITS
from seatkeeper.domain.periods import zone
from seatkeeper.domain.prices import QUANTITY_MAX
from seatkeeper.domain.refusals import Code, Refused, refuse, refuse_field
from seatkeeper.operations import answers, membership_limits
from seatkeeper.operations.context import Context, not_found
from seatkeeper.operations.cursors import after, cursor
from seatkeeper.operations.default_plan import start_default
from seatkeeper.operations.engine import CATALOG, ORGANIZATIONS, OrganizationFacts
from seatkeeper.operations.people import domains_of
from seatkeeper.operations.plans import check_sold
from seatkeeper.operations.words import (
    PAGE_DEFAULT,
    Command,
    Cursor,
    Email,
    ExternalId,
    Key,
    Limit,
    Name,
    Page,
    Result,
    page_size,
)
from seatkeeper.store.database import Db, Row

PREFIX_LENGTH: Final = 8
PREFIX_TRIES: Final = 3

PaymentMethod = Annotated[
    str,
    Meta(
        max_length=200,
        pattern=r"^[a-z]+_[\x21-\x7e]+$(?!\n)",
        description="a provider's token, such as `sandbox_ok`; null: invoices are marked as paid",
    ),
]
MembershipLimit = Annotated[
    int, Meta(ge=0, le=QUANTITY_MAX, description="0: no limit; null: that of the catalog")
]
AllowedDomains = Annotated[
    list[Annotated[str, Meta(max_length=254)]],
    Meta(max_length=100, description="whose addresses can be invited, exactly; empty: any"),
]


class NewPrimaryOwner(Command):
    """The person who owns the new organization; `user` is your own id of them."""

    user: ExternalId
    email: Email
    name: Name


class CreateOrganization(Command):
    """A new organization. `catalog` can be left out when there is only one."""

    name: Name
    currency: Annotated[str, Meta(min_length=3, max_length=3, description="ISO 4217")]
    time_zone: Annotated[str, Meta(max_length=64, description="IANA, such as Europe/Vienna")]
    primary_owner: NewPrimaryOwner
    catalog: Key | None = None
    clock: ClockId | None = None
    payment_method: PaymentMethod | None = None


class Organization(Result):
    """An organization. Units: `balance_minor` is credit owed to it, in minor units."""

    organization: answers.OrganizationText
    catalog: Key
    name: str
    currency: answers.CurrencyText
    time_zone: str
    clock: answers.ClockText | None
    membership_limit: int | None
    allowed_domains: list[str]
    has_payment_method: bool
    primary_owner: answers.MemberText | None
    balance_minor: answers.Minor
    parked_at: answers.Moment | None
    parked_reason: str | None
    created_at: answers.Moment
    version: int


class ListOrganizations(Command):
    """Organizations, oldest first."""

    limit: Limit = PAGE_DEFAULT
    after: Cursor | None = None


class ReadOrganization(Command):
    """One organization."""

    organization: OrganizationId


class ChangeOrganization(Command):
    """What is left out stays as it is."""

    organization: OrganizationId
    name: Name | UnsetType = UNSET
    payment_method: PaymentMethod | UnsetType | None = UNSET
    membership_limit: MembershipLimit | UnsetType | None = UNSET
    allowed_domains: AllowedDomains | UnsetType = UNSET


async def create(ctx: Context, command: CreateOrganization) -> Organization:
    """Create an organization with its primary owner, on the catalog's default plan if it has one.

    Refuses: forbidden (a key of one organization), not_found (another key's clock),
    currency_mismatch (nothing is sold in it), invalid_request. Source: A1, C9, M-13.
    """
    if ctx.principal.organization_id is not None:
        sentence = "A key that is bound to one organization cannot create another."
        raise Refused(refuse(Code.FORBIDDEN, detail=sentence))
    currency = _currency(command.currency)
    _check_time_zone(command.time_zone)
    check_payment_method(ctx, command.payment_method)
    email = _email(command.primary_owner.email)
    async with ctx.transaction() as db:
        catalog, has_default = await _catalog(db, command.catalog)
        await check_sold(db, catalog, currency)
        if command.clock is not None:
            ctx.now = await _clock_time(ctx, db, command.clock)
        wanted = OrganizationFacts(
            organization_id=ctx.new_id(),
            catalog_key=catalog,
            currency=currency,
            time_zone=command.time_zone,
            clock_id=command.clock,
        )
        facts = await insert(ctx, db, command.name, wanted, command.payment_method)
        ctx.facts = facts
        owner = ctx.new_id()
        await db.run(
            ORGANIZATIONS.insert_primary_owner,
            organization_id=facts.organization_id,
            member_id=owner,
            user_id=ctx.new_id(),
            external_id=command.primary_owner.user,
            email=email,
            name=command.primary_owner.name,
            now=ctx.now,
        )
        told = {
            "name": command.name,
            "currency": currency,
            "time_zone": facts.time_zone,
            "catalog": catalog,
            "primary_owner": MemberId.text(owner),
        }
        await _tell(ctx, db, "organization.created", {"after": told})
        if has_default:
            await start_default(ctx, db)
        return _organization(await _row(ctx, db))


async def show(ctx: Context, command: ReadOrganization) -> Organization:
    """One organization. Cost: one statement."""
    del command
    async with ctx.connection() as db:
        return _organization(await _row(ctx, db))


async def list_all(ctx: Context, command: ListOrganizations) -> Page[Organization]:
    """Organizations, oldest first; a key that is bound to one sees only that."""
    size = page_size(command.limit)
    async with ctx.connection() as db:
        rows = await db.rows(
            ORGANIZATIONS.page,
            organization_id=ctx.principal.organization_id,
            after=after(ctx, "organizations", command.after),
            page=size + 1,
        )
    last = rows[size - 1]["organization_id"] if len(rows) > size else None
    return Page(
        items=[_organization(row) for row in rows[:size]],
        next=cursor(ctx, "organizations", last),
    )


async def change(ctx: Context, command: ChangeOrganization) -> Organization:
    """Change the name, the way of paying, the membership limit or the domains invited from.

    Refuses: forbidden, billing_permission_required, precondition_failed, invalid_request,
    limit_managed_by_plan where the plan is based on seats. Source: A52, C10, C11, C44.
    """
    _check_actor(ctx, command)
    if isinstance(command.payment_method, str):
        check_payment_method(ctx, command.payment_method)
    async with ctx.transaction() as db:
        paying = await db.one(ORGANIZATIONS.lock, organization_id=ctx.organization_id)
        before = await _row(ctx, db)
        if ctx.if_match not in (None, before["version"]):
            raise Refused(refuse(Code.PRECONDITION_FAILED, version=before["version"]))
        now = {**before, "payment_method": paying["payment_method"]}
        wanted = _wanted(command, now)
        if "membership_limit" in wanted:
            await membership_limits.follow(ctx, db, wanted["membership_limit"])
        if not wanted:
            return _organization(before)
        await db.one(
            ORGANIZATIONS.change,
            organization_id=ctx.organization_id,
            name=wanted.get("name"),
            sets_payment_method="payment_method" in wanted,
            payment_method=wanted.get("payment_method"),
            sets_membership_limit="membership_limit" in wanted,
            membership_limit=wanted.get("membership_limit"),
            allowed_domains=wanted.get("allowed_domains"),
            version=before["version"],
        )
        row = await _row(ctx, db)
        await _tell(ctx, db, "organization.changed", _facts(now, wanted))
        return _organization(row)


def _currency(text: str) -> str:
    currency = text.upper()
    if currency not in MINOR_DIGITS:
        raise Refused(refuse_field("/currency", "must be an ISO 4217 currency such as EUR."))
    return currency


def _check_time_zone(name: str) -> None:
    try:
        zone(name)
    except ValueError:
        sentence = "must be a time zone of the IANA list, such as Europe/Vienna."
        raise Refused(refuse_field("/time_zone", sentence)) from None


def _email(text: str) -> str:
    email = addresses.normalized(text)
    if email is None:
        sentence = "must be an e-mail address such as ada@example.com."
        raise Refused(refuse_field("/primary_owner/email", sentence))
    return email


def check_payment_method(ctx: Context, method: str | None) -> None:
    """Goes on with a token that a rail here knows, or with none. Refuses: invalid_request."""
    if method is None:
        return
    provider = ctx.engine.providers.get(method.partition("_")[0])
    if provider is None or not provider.accepts(method):
        raise Refused(refuse_field("/payment_method", "is not a token of a payment provider here."))


async def _catalog(db: Db, wanted: str | None) -> tuple[str, bool]:
    """The key of the catalog, and whether it has a default plan."""
    rows = await db.rows(CATALOG.documents, catalog_key=wanted)
    if len(rows) == 1:
        return rows[0]["catalog_key"], rows[0]["default_plan"] is not None
    if wanted is not None:
        raise Refused(refuse_field("/catalog", "there is no catalog of that key."))
    sentence = "is needed, there are several." if rows else "apply a catalog first."
    raise Refused(refuse_field("/catalog", sentence))


async def _clock_time(ctx: Context, db: Db, clock_id: UUID) -> datetime:
    row = await db.row(
        ORGANIZATIONS.own_clock, clock_id=clock_id, owner_key_id=ctx.principal.key_id
    )
    if row is None:
        raise not_found()
    time: datetime = row["now_at"]
    return time


async def insert(
    ctx: Context, db: Db, name: str, like: OrganizationFacts, payment_method: str | None = None
) -> OrganizationFacts:
    """A new organization with those facts and an id of its own; nobody is in it yet."""
    for _ in range(PREFIX_TRIES):
        facts = replace(like, organization_id=ctx.new_id())
        made = await db.run(
            ORGANIZATIONS.insert,
            organization_id=facts.organization_id,
            catalog_key=facts.catalog_key,
            name=name,
            currency=facts.currency,
            time_zone=facts.time_zone,
            clock_id=facts.clock_id,
            membership_limit=None,
            payment_method=payment_method,
            invoice_prefix=invoice_prefix(facts.organization_id),
            now=ctx.now,
        )
        if made:
            return facts
    raise AssertionError("three fresh ids in a row have invoice prefixes that are taken")


def invoice_prefix(organization_id: UUID) -> str:
    """What the organization's invoice numbers begin with, from the random part of its id."""
    return OrganizationId.text(organization_id)[-PREFIX_LENGTH - 1 : -1].upper()


def _check_actor(ctx: Context, command: ChangeOrganization) -> None:
    if ctx.actor is None:
        return
    if command.membership_limit is not UNSET:
        raise Refused(refuse(Code.FORBIDDEN, detail="Only the vendor sets the membership limit."))
    needed = []
    if command.name is not UNSET or command.allowed_domains is not UNSET:
        needed.append(Permission.SETTINGS_MANAGE)
    if command.payment_method is not UNSET:
        needed.append(Permission.BILLING_MANAGE)
    for permission in needed:
        refusal = decide_permission(ctx.actor.role, permission, may_bill=ctx.actor.may_bill)
        if refusal is not None:
            raise Refused(refusal)


def _wanted(command: ChangeOrganization, now: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked for and is not so already."""
    values = {
        "name": command.name,
        "payment_method": command.payment_method,
        "membership_limit": command.membership_limit,
        "allowed_domains": _domains(command.allowed_domains),
    }
    return {
        name: value for name, value in values.items() if value is not UNSET and value != now[name]
    }


def _domains(asked: list[str] | UnsetType) -> list[str] | UnsetType:
    return asked if isinstance(asked, UnsetType) else domains_of(asked, "/allowed_domains")


async def _row(ctx: Context, db: Db) -> Row:
    return await db.one(ORGANIZATIONS.one, organization_id=ctx.organization_id)


def _facts(before: Mapping[str, Any], wanted: dict[str, Any]) -> dict[str, object]:
    """What changed, without the token that money can be taken with."""
    return {
        "before": {name: _shown(name, before[name]) for name in wanted},
        "after": {name: _shown(name, value) for name, value in wanted.items()},
    }


def _shown(name: str, value: Any) -> object:  # noqa: ANN401  any column
    if name != "payment_method":
        return value
    return "manual" if value is None else value.partition("_")[0]


async def _tell(ctx: Context, db: Db, kind: str, facts: dict[str, Any]) -> None:
    await db.run(
        ORGANIZATIONS.tell,
        organization_id=ctx.organization_id,
        kind=kind,
        subject_id=ctx.organization_id,
        member_id=None if ctx.actor is None else ctx.actor.member_id,
        now=ctx.now,
        actor=ctx.actor_text,
        request_id=ctx.request_id,
        facts=facts,
    )


def _organization(row: Row) -> Organization:
    return Organization(
        organization=OrganizationId.text(row["organization_id"]),
        catalog=row["catalog_key"],
        name=row["name"],
        currency=row["currency"],
        time_zone=row["time_zone"],
        clock=ClockId.text_or_none(row["clock_id"]),
        membership_limit=row["membership_limit"],
        allowed_domains=row["allowed_domains"],
        has_payment_method=row["has_payment_method"],
        primary_owner=MemberId.text_or_none(row["primary_owner"]),
        balance_minor=row["balance_minor"],
        parked_at=row["parked_at"],
        parked_reason=row["parked_reason"],
        created_at=row["created_at"],
        version=row["version"],
    )
