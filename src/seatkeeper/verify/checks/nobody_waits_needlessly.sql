-- S-15: Nobody waits while a seat is free which they could have, nor for a seat type which their plan does not have.
-- Columns: request_id who waits longest; member_id; pool_id the pool; free its seats that can be taken, null where the
-- pool is of a type that is gone.
-- Cost: one pass over waiting requests and shared pools; free seats are counted from raw rows.
-- Parks: no
with waits as (
    select organization_id, request_id, member_id, seat_type, queued_at from seat_request where state = 'waiting'
), pools as (
    select p.organization_id, p.pool_id, p.seat_type,
           least(p.purchased, p.ceiling) - (select count(*) from assignment a where a.organization_id = p.organization_id
                and a.pool_id = p.pool_id and a.ended_at is null)
             - (select count(*) from hold h where h.organization_id = p.organization_id
                and h.pool_id = p.pool_id and h.released_at is null) as free
      from seat_pool p
     where p.payer_member_id is null and exists (select 1 from waits w where w.organization_id = p.organization_id)
)
(select distinct on (p.organization_id, p.pool_id) w.organization_id, w.request_id, w.member_id, p.pool_id, p.free
   from pools p
   join waits w on w.organization_id = p.organization_id and (w.seat_type is null or w.seat_type = p.seat_type)
  where p.free > 0
  order by p.organization_id, p.pool_id, w.queued_at, w.request_id)
union all
select w.organization_id, w.request_id, w.member_id, p.pool_id, null
  from waits w
  join seat_pool p on p.organization_id = w.organization_id and p.seat_type = w.seat_type and p.payer_member_id is null
  join subscription s on s.organization_id = p.organization_id and s.subscription_id = p.subscription_id
  join plan_version v on v.plan_version_id = s.plan_version_id
 where s.status not in ('ended', 'scheduled', 'incomplete') and not v.document -> 'seat_types' ? w.seat_type
