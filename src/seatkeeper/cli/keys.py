"""Commands about API keys; they work on the database, because there must be a first key."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import click
import msgspec

from seatkeeper.cli.databases import an_engine, settings
from seatkeeper.cli.outcomes import refused
from seatkeeper.cli.shown import json_option, show, show_json, show_rows
from seatkeeper.domain.ids import KeyId, OrganizationId
from seatkeeper.domain.refusals import Code, Refused, refuse
from seatkeeper.domain.scopes import Scope, VendorRole
from seatkeeper.operations import api_keys
from seatkeeper.operations.context import Context
from seatkeeper.operations.local import local_context

EVERY_SCOPE = "all"


@click.group(name="api-key")
def api_key() -> None:
    """API keys: create, list, revoke; on the machine of the service."""


@api_key.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice([EVERY_SCOPE, *(str(scope) for scope in Scope)]),
    default=(EVERY_SCOPE,),
    show_default=True,
    help="What it may do; can be given several times.",
)
@click.option(
    "--role",
    type=click.Choice([str(role) for role in VendorRole]),
    default=VendorRole.SERVICE.value,
    show_default=True,
    help="For whom of the vendor it speaks.",
)
@click.option("--organization", help="Bind it to one organization.")
@click.option("--days", type=click.IntRange(1, 3650), help="It ends after so many days.")
@json_option
def create(name: str, *, wants_json: bool, **options: Any) -> None:  # noqa: ANN401  click's values
    """Make an API key and show its secret, once.

    Example: export SEATKEEPER_API_KEY=$(seatkeeper api-key create "my laptop")
    """
    chosen = options["scopes"]
    scopes = list(Scope) if EVERY_SCOPE in chosen else [Scope(scope) for scope in chosen]

    async def work(ctx: Context) -> api_keys.NewApiKey:
        organization = None
        if options["organization"] is not None:
            organization = _parsed(OrganizationId, options["organization"])
            if await ctx.engine.organization(organization) is None:
                raise Refused(refuse(Code.NOT_FOUND, detail="There is no such organization."))
        ends = None if options["days"] is None else ctx.now + timedelta(days=options["days"])
        command = api_keys.CreateApiKey(
            name=name,
            scopes=scopes,
            vendor_role=VendorRole(options["role"]),
            organization=organization,
            expires_at=ends,
        )
        return await api_keys.create(ctx, command)

    made = _run(work)
    if not wants_json:
        click.echo(f"{made.key}: keep the secret, it is not shown again.", err=True)
    show(msgspec.to_builtins(made), made.secret, as_json=wants_json)


@api_key.command(name="list")
@json_option
def list_all(*, wants_json: bool) -> None:
    """List API keys, newest first, without their secrets.

    Example: seatkeeper api-key list
    """

    async def work(ctx: Context) -> list[api_keys.ApiKey]:
        found: list[api_keys.ApiKey] = []
        after = None
        while True:
            page = await api_keys.list_all(ctx, api_keys.ListApiKeys(limit=200, after=after))
            found += page.items
            after = page.next
            if after is None:
                return found

    found = _run(work)
    if wants_json:
        show_json(msgspec.to_builtins(found))
        return
    columns = ("key", "name", "vendor_role", "organization", "expires_at", "revoked_at")
    show_rows(columns, [[getattr(item, column) for column in columns] for item in found])


@api_key.command()
@click.argument("key")
@json_option
def revoke(key: str, *, wants_json: bool) -> None:
    """End an API key; it is refused everywhere within two seconds.

    Example: seatkeeper api-key revoke key_06f3…
    """

    async def work(ctx: Context) -> api_keys.ApiKey:
        return await api_keys.revoke(ctx, api_keys.RevokeApiKey(key=_parsed(KeyId, key)))

    done = _run(work)
    show(msgspec.to_builtins(done), f"{done.key}: revoked", as_json=wants_json)


def _parsed(kind: Any, text: str) -> Any:  # noqa: ANN401  any kind of id
    try:
        return kind.parse(text)
    except ValueError as error:
        raise click.BadParameter(f"{text}: {error}.") from None


def _run(work: Callable[[Context], Awaitable[Any]]) -> Any:  # noqa: ANN401  whatever the work gives
    async def all_of_it() -> Any:  # noqa: ANN401  the same
        async with an_engine(settings()) as engine:
            return await work(local_context(engine))

    try:
        return asyncio.run(all_of_it())
    except Refused as error:
        refusal = error.refusal
        problem = {**refusal.facts, "detail": refusal.sentence, "code": refusal.code}
        raise refused(problem) from None
