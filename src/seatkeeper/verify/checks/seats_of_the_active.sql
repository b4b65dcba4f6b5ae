-- S-6: Who is suspended or removed holds no seat and waits for none.
-- Columns: member_id the member; standing; seats, requests that are live all the same.
-- Cost: one pass over live assignments and waiting requests, joined with their members.
-- Parks: no
select m.organization_id, m.member_id, m.standing, sum(l.seats)::integer as seats, sum(l.requests)::integer as requests
  from (select organization_id, member_id, 1 as seats, 0 as requests from assignment where ended_at is null
        union all
        select organization_id, member_id, 0, 1 from seat_request where state = 'waiting') l
  join member m on m.organization_id = l.organization_id and m.member_id = l.member_id
 where m.standing <> 'active'
 group by m.organization_id, m.member_id, m.standing
