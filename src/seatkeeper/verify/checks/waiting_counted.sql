-- S-15: The waiting counter of every shared pool equals the live requests which it could serve.
-- Columns: pool_id the pool; waiting its counter; requests for its type or for any.
-- Cost: one pass over pools and waiting requests, joined by hash.
-- Parks: no
with waits as (
    select organization_id, seat_type, count(*) as n from seat_request where state = 'waiting' group by 1, 2
)
select p.organization_id, p.pool_id, p.seat_type, p.waiting, coalesce(own.n, 0) + coalesce(whichever.n, 0) as requests
  from seat_pool p
  left join waits own on own.organization_id = p.organization_id and own.seat_type = p.seat_type
       and p.payer_member_id is null
  left join waits whichever on whichever.organization_id = p.organization_id and whichever.seat_type is null
       and p.payer_member_id is null
 where p.waiting <> coalesce(own.n, 0) + coalesce(whichever.n, 0)
