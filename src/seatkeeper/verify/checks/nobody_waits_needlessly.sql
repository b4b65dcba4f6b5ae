-- S-15: Nobody waits while a seat is free which they could have.
-- Columns: request_id who waits longest; member_id; pool_id the pool; free its seats that can be taken.
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
select distinct on (p.organization_id, p.pool_id) w.organization_id, w.request_id, w.member_id, p.pool_id, p.free
  from pools p
  join waits w on w.organization_id = p.organization_id and (w.seat_type is null or w.seat_type = p.seat_type)
 where p.free > 0
 order by p.organization_id, p.pool_id, w.queued_at, w.request_id
