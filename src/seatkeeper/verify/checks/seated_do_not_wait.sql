-- S-15: Nobody waits for a seat which they have.
-- Columns: request_id who waits; member_id; wanted seat type, null for any; held seat type.
-- Cost: one pass over waiting requests, joined with live assignments.
-- Parks: no
select r.organization_id, r.request_id, r.member_id, r.seat_type as wanted, p.seat_type as held
  from seat_request r
  join assignment a on a.organization_id = r.organization_id and a.member_id = r.member_id and a.ended_at is null
       and a.exclusivity_set = 'seat'
  join seat_pool p on p.organization_id = a.organization_id and p.pool_id = a.pool_id
 where r.state = 'waiting' and (r.seat_type is null or r.seat_type = p.seat_type)
