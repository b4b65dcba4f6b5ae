"""Mutants: damage to rows that each check must find, and find exactly.

The last statement of each returns the rows which the check then has to return, by those columns;
statements before it take away what would stop the damage. All of it is rolled back.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One way in which rows could be wrong."""

    check: str
    name: str
    damage: tuple[str, ...]


def mutant(check: str, name: str, *damage: str) -> Mutant:
    """A mutant in one line."""
    return Mutant(check, name, damage)


ONE_SEAT = """(select organization_id, assignment_id from assignment
    where ended_at is null order by assignment_id limit 1)"""
OPEN_POOL = """(select organization_id, pool_id from seat_pool
    where state = 'open' and assigned > 0 and purchased - assigned - held > 0
    order by pool_id limit 1)"""
HOLD = """(select h.organization_id, h.hold_id from hold h where h.released_at is null
    order by h.hold_id limit 1)"""

SEATS = (
    mutant(
        "seats_counted",
        "a counter lost one",
        f"""update seat_pool set assigned = assigned - 1
             where (organization_id, pool_id) in {OPEN_POOL} returning organization_id, pool_id""",
    ),
    mutant(
        "seats_counted",
        "a seat ended without its counter",
        f"""update assignment set ended_at = assigned_at
             where (organization_id, assignment_id) in {ONE_SEAT}
            returning organization_id, pool_id""",
    ),
    mutant(
        "seats_counted",
        "a hold was released without its counter",
        f"""update hold set released_at = held_at, outcome = 'revoked'
             where (organization_id, hold_id) in {HOLD} returning organization_id, pool_id""",
    ),
    mutant(
        "seats_not_oversold",
        "the ledger lost what an open pool lives on",
        """delete from seat_ledger where (organization_id, pool_id) in (
             select organization_id, pool_id from seat_pool
              where state = 'open' and assigned > 0 order by pool_id limit 1)""",
        """select organization_id, pool_id from seat_pool
            where state = 'open' and assigned > 0 order by pool_id limit 1""",
    ),
    mutant(
        "seats_over_limit_ends",
        "a pool stays over its limit with seats to spare",
        "alter table seat_pool drop constraint seat_pool_over_limit_ends",
        f"""update seat_pool set state = 'over_limit'
             where (organization_id, pool_id) in {OPEN_POOL} returning organization_id, pool_id""",
    ),
    mutant(
        "seat_live_once",
        "a member has two seats",
        "drop index assignment_live_once",
        f"""insert into assignment (organization_id, member_id, assignment_id, pool_id, assigned_at,
                rule)
            select organization_id, member_id, gen_random_uuid(), pool_id, assigned_at, rule
              from assignment where (organization_id, assignment_id) in {ONE_SEAT}
            returning organization_id, member_id""",
    ),
    mutant(
        "seat_intervals_apart",
        "a seat ended later than the next began",
        """with pair as (
             select * from (select a.organization_id, a.assignment_id, lead(a.assignment_id) over w
                    as next_id, lead(a.assigned_at) over w as next_at
               from assignment a
             window w as (partition by a.organization_id, a.member_id
                 order by a.assigned_at, a.assignment_id)) p
              where next_at is not null order by assignment_id limit 1
           ), late as (
             update assignment a set ended_at = p.next_at + interval '1 second',
                 assigned_at = least(assigned_at, p.next_at - interval '1 second') from pair p
              where a.organization_id = p.organization_id and a.assignment_id = p.assignment_id)
           select organization_id, next_id as assignment_id from pair""",
    ),
    mutant(
        "seats_of_the_active",
        "someone suspended sits",
        f"""update member set standing = 'suspended' where (organization_id, member_id) in (
              select organization_id, member_id from assignment
               where (organization_id, assignment_id) in {ONE_SEAT})
            returning organization_id, member_id""",
    ),
    mutant(
        "seats_of_the_active",
        "someone removed waits",
        """update member set standing = 'removed', removed_at = joined_at
            where (organization_id, member_id) in (select organization_id, member_id
                from seat_request where state = 'waiting')
           returning organization_id, member_id""",
    ),
    mutant(
        "members_stand",
        "removed at no instant",
        """update member set removed_at = null where member_id in (
             select member_id from member where standing = 'removed' order by member_id limit 1)
           returning organization_id, member_id""",
    ),
    mutant(
        "purchased_is_ledger",
        "a pool got a seat that nobody bought",
        f"""update seat_pool set purchased = purchased + 1
             where (organization_id, pool_id) in {OPEN_POOL} returning organization_id, pool_id""",
    ),
    mutant(
        "purchased_is_ledger",
        "a ledger entry says one more",
        f"""update seat_ledger set delta = delta + 1 where entry_id in (
              select min(entry_id::text)::uuid from seat_ledger
               where (organization_id, pool_id) in {OPEN_POOL} and delta > 0)
            returning organization_id, pool_id""",
    ),
    mutant(
        "ledger_never_negative",
        "seats went before they came",
        """with first as (select organization_id, pool_id, min(effective_at) as at from seat_ledger
             group by 1, 2 order by pool_id limit 1
           ), gone as (
             insert into seat_ledger select organization_id, pool_id, gen_random_uuid(), -1,
                 at - interval '1 day', 'x', gen_random_uuid() from first
           ), back as (
             insert into seat_ledger select organization_id, pool_id, gen_random_uuid(), 1,
                 at, 'x', gen_random_uuid() from first)
           select organization_id, pool_id, at - interval '1 day' as effective_at from first""",
    ),
    mutant(
        "purchased_within_plan",
        "fewer than the minimum",
        """update seat_pool p set purchased = 19, assigned = 0, held = 0, state = 'open'
             from subscription s join plan_version v using (plan_version_id)
            where s.organization_id = p.organization_id and s.subscription_id = p.subscription_id
              and s.status = 'active' and (v.document ->> 'minimum')::integer = 20
              and p.seat_type = 'enterprise' and p.purchased = 20
           returning p.organization_id, p.subscription_id""",
    ),
    mutant(
        "purchased_within_plan",
        "more than the limit",
        """update seat_pool p set purchased = 6
             from subscription s join plan_version v using (plan_version_id)
            where s.organization_id = p.organization_id and s.subscription_id = p.subscription_id
              and s.status <> 'ended' and v.plan_key = 'free' and p.purchased = 5
           returning p.organization_id, p.subscription_id""",
    ),
    mutant(
        "ceiling_of_coming_plan",
        "a block that nothing scheduled",
        f"""update seat_pool set ceiling = 12
             where (organization_id, pool_id) in {OPEN_POOL} returning organization_id, pool_id""",
    ),
    mutant(
        "ceiling_of_coming_plan",
        "a change that is being paid for, and no block",
        """update change c
              set effect = c.effect || jsonb_build_object('ceilings',
                    jsonb_build_object(p.seat_type, p.purchased))
             from seat_pool p
            where c.organization_id = p.organization_id and c.subscription_id = p.subscription_id
              and c.state = 'awaiting_payment' and p.purchased > 0
           returning p.organization_id, p.pool_id""",
    ),
    mutant(
        "ceiling_of_coming_plan",
        "a smaller plan to come and no block",
        """update seat_pool set ceiling = 1000000 where ceiling < 1000000
           returning organization_id, pool_id""",
    ),
    mutant(
        "waiting_counted",
        "nobody counts who waits",
        "update seat_pool set waiting = 0 where waiting > 0 returning organization_id, pool_id",
    ),
    mutant(
        "waiting_counted",
        "someone is counted who does not wait",
        f"""update seat_pool set waiting = 1
             where (organization_id, pool_id) in {OPEN_POOL} returning organization_id, pool_id""",
    ),
    mutant(
        "nobody_waits_needlessly",
        "one seat more and nobody is served",
        """update seat_pool p set purchased = purchased + 1 from seat_request r
            where p.waiting > 0 and r.organization_id = p.organization_id and r.state = 'waiting'
           returning p.organization_id, p.pool_id, r.request_id""",
    ),
    mutant(
        "nobody_waits_needlessly",
        "waits for a seat type that the plan does not have",
        """insert into seat_pool (organization_id, pool_id, subscription_id, seat_type, rank,
                capacity, every_member, purchased, billed_at)
           select organization_id, gen_random_uuid(), subscription_id, 'gone', 0, capacity,
                every_member, 0, billed_at
             from seat_pool where waiting > 0 order by pool_id limit 1""",
        """update seat_request r set seat_type = 'gone' from seat_pool p
            where r.organization_id = p.organization_id and r.state = 'waiting'
              and p.seat_type = 'gone'
           returning r.organization_id, r.request_id, p.pool_id""",
    ),
    mutant(
        "seated_do_not_wait",
        "who sits waits",
        f"""insert into seat_request (organization_id, request_id, member_id, choice, state, reason,
                queued_at, timeline)
            select organization_id, gen_random_uuid(), member_id, 'highest', 'waiting', 'x',
                assigned_at, timeline from assignment join organization using (organization_id)
             where (organization_id, assignment_id) in {ONE_SEAT}
            returning organization_id, request_id""",
    ),
    mutant(
        "every_member_seated",
        "a member without a seat among seated ones",
        """update assignment a set ended_at = a.assigned_at where a.assignment_id in (
             select a.assignment_id from assignment a join seat_pool p using (organization_id,
                pool_id)
               join subscription s using (organization_id, subscription_id)
              where p.every_member and a.ended_at is null and s.status <> 'ended'
              order by 1 limit 1)
           returning organization_id, member_id""",
    ),
    mutant(
        "pools_follow_plan",
        "another rank than the plan's",
        """update seat_pool set rank = rank + 1 where pool_id in (
             select pool_id from seat_pool p join subscription s using (organization_id,
                 subscription_id) where s.status = 'active' and p.seat_type = 'enterprise'
              order by 1 limit 1)
           returning organization_id, subscription_id, seat_type""",
    ),
    mutant(
        "holds_of_the_pending",
        "a revoked invitation keeps its seat",
        f"""update invitation set state = 'revoked', closed_at = sent_at where invitation_id in (
              select invitation_id from hold where (organization_id, hold_id) in {HOLD})
            returning organization_id, invitation_id""",
    ),
    mutant(
        "pending_holds_seat",
        "a pending invitation without its hold",
        f"""delete from hold where (organization_id, hold_id) in {HOLD}
            returning organization_id, invitation_id""",
    ),
    mutant(
        "pending_holds_seat",
        "its hold expired and it did not",
        f"""update hold set released_at = held_at, outcome = 'expired'
             where (organization_id, hold_id) in {HOLD}
            returning organization_id, invitation_id""",
    ),
    mutant(
        "holds_closed_once",
        "revoked, and its hold says accepted",
        """update hold set outcome = 'accepted' where outcome = 'revoked'
           returning organization_id, invitation_id""",
    ),
    mutant(
        "invitations_stand",
        "accepted by nobody",
        """update invitation set member_id = null where state = 'accepted'
           returning organization_id, invitation_id""",
    ),
    mutant(
        "invitations_stand",
        "revoked at no instant",
        """update invitation set closed_at = null where state = 'revoked'
           returning organization_id, invitation_id""",
    ),
)
