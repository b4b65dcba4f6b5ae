-- S-12: A live subscription has one pool for each seat type of its plan, ranked and sized as the plan says.
-- Columns: subscription_id; seat_type; found the pool, null when there is none; rank, capacity, every_member as found.
-- Cost: one pass over live subscriptions and pools, joined by hash.
-- Parks: no
with types as (
    select v.plan_version_id, t.key as seat_type, coalesce((t.value ->> 'rank')::integer, 0) as rank,
           v.document ->> 'capacity' as capacity,
           v.document #>> '{policies,seat_use}' = 'every_member' as every_member
      from plan_version v, jsonb_each(v.document -> 'seat_types') t
)
select s.organization_id, s.subscription_id, t.seat_type, p.pool_id as found, p.rank, p.capacity, p.every_member
  from subscription s
  join types t on t.plan_version_id = s.plan_version_id
  left join seat_pool p on p.organization_id = s.organization_id and p.subscription_id = s.subscription_id
       and p.seat_type = t.seat_type
 where s.status not in ('ended', 'scheduled', 'incomplete')
   and (p.pool_id is null or p.rank <> t.rank or p.capacity <> t.capacity
        or (s.payer_member_id is null and p.every_member <> t.every_member))
