"""The cap of an instance: which catalogs it takes."""

from seatkeeper.domain.refusals import Code
from seatkeeper.operations import catalog
from seatkeeper.operations.catalog import ApplyCatalog
from seatkeeper.operations.context import Context, new_id
from tests.domain.small_catalog import edited
from tests.world import KEY, refused

DOCUMENT = edited("catalog", "capped")


async def apply(world, document):
    ctx = Context(world.engine, KEY, world.now, new_id())
    return await catalog.apply(ctx, ApplyCatalog(document=document, dry_run=True))


async def test_c4_an_instance_with_a_cap_takes_no_plan_above_it(world):
    fresh = edited("plans", {f"{k}_c4": p for k, p in DOCUMENT["plans"].items()}, DOCUMENT)
    fresh = edited("default_plan", "free_c4", fresh)
    fresh = edited("plans/old_c4/transition_to", "pro_c4", fresh)  # closed, and without a limit
    assert (await apply(world, fresh)).versions  # no cap, no limit
    world.engine.seat_limit_max = 50
    assert (await apply(world, fresh)).versions
    world.engine.seat_limit_max = 49
    async with refused(Code.INVALID_PLAN) as found:
        await apply(world, fresh)
    [error] = found[0].facts["errors"]
    assert (error["pointer"], error["code"]) == ("/document/plans/pro_c4/limit", "invalid_plan")
