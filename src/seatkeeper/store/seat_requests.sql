-- enqueue: Put a member into the queue for a seat, on locked pools.
with made as (
    insert into seat_request (organization_id, request_id, member_id, seat_type, choice, state, reason, queued_at,
        timeline)
    values (:organization_id, :request_id, :member_id, :seat_type, :choice, 'waiting', :reason, :now,
        (select timeline from organization where organization_id = :organization_id))
    returning member_id
), counted as (
    update seat_pool p set waiting = p.waiting + 1
     where p.organization_id = :organization_id and p.payer_member_id is null
       and (:seat_type::text is null or p.seat_type = :seat_type)
)
insert into event (organization_id, kind, subject_id, member_id, occurred_at, actor, request_id, facts)
select :organization_id, 'member.awaiting_seat', member_id, member_id, :now, :actor, :origin,
       jsonb_build_object('seat_type', :seat_type::text, 'reason', :reason::text)
  from made

-- close: Take members out of the queue, on locked pools; those with a seat type only where it is what they want.
with asked as (
    select * from unnest(:member_ids::uuid[], :seat_types::text[]) as a (member_id, seat_type)
), closed as (
    update seat_request r set state = :state, closed_at = :now
      from asked a
     where r.organization_id = :organization_id and r.member_id = a.member_id and r.state = 'waiting'
       and (a.seat_type is null or r.seat_type is null or r.seat_type = a.seat_type)
    returning r.request_id, r.member_id, r.seat_type
), counted as (
    update seat_pool p set waiting = p.waiting - c.requests
      from (select q.pool_id, count(*)::integer as requests
              from seat_pool q
              join closed r on r.seat_type is null or r.seat_type = q.seat_type
             where q.organization_id = :organization_id and q.payer_member_id is null
             group by q.pool_id) c
     where p.organization_id = :organization_id and p.pool_id = c.pool_id
)
insert into event (organization_id, kind, subject_id, member_id, occurred_at, actor, request_id, facts)
select :organization_id, 'seat_request.' || :state::text, request_id, member_id, :now, :actor, :origin, null
  from closed

-- rename: Who waits for seat types that another plan does not have waits for what they become; the pools are locked.
with asked as (
    select * from unnest(:from_types::text[], :to_types::text[]) as a (from_type, to_type)
), moved as (
    update seat_request r set seat_type = a.to_type
      from asked a
     where r.organization_id = :organization_id and r.state = 'waiting' and r.seat_type = a.from_type
    returning r.request_id, r.member_id, a.from_type, a.to_type
), counted as (
    update seat_pool p set waiting = p.waiting + c.delta
      from (select seat_type, sum(n)::integer as delta
              from (select to_type as seat_type, 1 as n from moved union all select from_type, -1 from moved) m
             group by seat_type) c
     where p.organization_id = :organization_id and p.payer_member_id is null and p.seat_type = c.seat_type
)
insert into event (organization_id, kind, subject_id, member_id, occurred_at, actor, request_id, facts)
select :organization_id, 'seat_request.changed', request_id, member_id, :now, :actor, :origin,
       jsonb_build_object('from', from_type, 'to', to_type)
  from moved

-- waiting_member: Whose place in the queue that is; no row once it is closed.
select member_id from seat_request
 where organization_id = :organization_id and request_id = :request_id and state = 'waiting'

-- page: Who waits for a seat, longest first, a page at a time.
select r.request_id, r.member_id, m.name, m.email, r.seat_type, r.reason, r.queued_at
  from seat_request r
  join member m on m.organization_id = r.organization_id and m.member_id = r.member_id
 where r.organization_id = :organization_id and r.state = 'waiting' and r.queued_at > '-infinity'
   and r.request_id > :after
 order by r.request_id
 limit :page
