-- one: An invitation as readers see it.
select i.invitation_id, i.email, i.role, i.seat_type, i.state, i.invited_by, i.created_at, i.sent_at, i.expires_at,
       i.closed_at, i.member_id, i.version, h.hold_id, p.seat_type as held_type
  from invitation i
  left join hold h on h.organization_id = i.organization_id and h.invitation_id = i.invitation_id
       and h.released_at is null
  left join seat_pool p on p.organization_id = h.organization_id and p.pool_id = h.pool_id
 where i.organization_id = :organization_id and i.invitation_id = :invitation_id

-- several: Some invitations as readers see them.
select i.invitation_id, i.email, i.role, i.seat_type, i.state, i.invited_by, i.created_at, i.sent_at, i.expires_at,
       i.closed_at, i.member_id, i.version, h.hold_id, p.seat_type as held_type
  from invitation i
  left join hold h on h.organization_id = i.organization_id and h.invitation_id = i.invitation_id
       and h.released_at is null
  left join seat_pool p on p.organization_id = h.organization_id and p.pool_id = h.pool_id
 where i.organization_id = :organization_id and i.invitation_id = any(:invitation_ids::uuid[])

-- page: Invitations, of one state or all, newest first; one past its time counts as expired before it is noted.
select i.invitation_id, i.email, i.role, i.seat_type, i.state, i.invited_by, i.created_at, i.sent_at, i.expires_at,
       i.closed_at, i.member_id, i.version, h.hold_id, p.seat_type as held_type
  from (select * from (
               (select * from invitation
                 where :state::text is null and organization_id = :organization_id and invitation_id < :before
                 order by invitation_id desc limit :page)
               union all
               (select * from invitation
                 where organization_id = :organization_id and state = :state and invitation_id < :before
                   and (state <> 'pending' or expires_at > :now)
                 order by invitation_id desc limit :page)
               union all
               -- Few, as they are about to be noted; the inner order makes their own index lead to them.
               (select * from (
                       select * from invitation
                        where :state = 'expired' and organization_id = :organization_id and state = 'pending'
                          and expires_at <= :now and invitation_id < :before
                        order by expires_at) o
                 order by invitation_id desc limit :page)) u
         order by invitation_id desc
         limit :page) i
  left join hold h on h.organization_id = i.organization_id and h.invitation_id = i.invitation_id
       and h.released_at is null
  left join seat_pool p on p.organization_id = h.organization_id and p.pool_id = h.pool_id
 order by i.invitation_id desc

-- lock: One invitation with the pool of its live hold, locked for a change.
select i.invitation_id, i.email, i.role, i.seat_type, i.state, i.expires_at, i.member_id, i.version, h.pool_id
  from invitation i
  left join hold h on h.organization_id = i.organization_id and h.invitation_id = i.invitation_id
       and h.released_at is null
 where i.organization_id = :organization_id and i.invitation_id = :invitation_id
   for no key update of i

-- lock_token: The invitation which a token opens, with the pool of its live hold, locked for a change.
select i.invitation_id, i.email, i.role, i.seat_type, i.state, i.expires_at, i.member_id, i.version, h.pool_id
  from invitation i
  left join hold h on h.organization_id = i.organization_id and h.invitation_id = i.invitation_id
       and h.released_at is null
 where i.organization_id = :organization_id and i.token_hash = :token_hash
   for no key update of i

-- lock_email: The pending invitation for an address, with the pool of its live hold, locked for a change.
select i.invitation_id, i.email, i.role, i.seat_type, i.state, i.expires_at, i.member_id, i.version, h.pool_id
  from invitation i
  left join hold h on h.organization_id = i.organization_id and h.invitation_id = i.invitation_id
       and h.released_at is null
 where i.organization_id = :organization_id and i.email = :email and i.state = 'pending'
   for no key update of i

-- create: Invite many at once on locked pools: invitations, holds, counters and events in one statement.
with asked as (
    select * from unnest(:invitation_ids::uuid[], :emails::text[], :roles::text[], :seat_types::text[],
        :token_hashes::bytea[], :pool_ids::uuid[], :hold_ids::uuid[])
        as a (invitation_id, email, role, seat_type, token_hash, pool_id, hold_id)
), made as (
    insert into invitation (organization_id, invitation_id, email, role, seat_type, token_hash, state, invited_by,
        created_at, sent_at, expires_at, timeline)
    select :organization_id, invitation_id, email, role, seat_type, token_hash, 'pending', :actor, :now, :now,
        :expires_at, (select timeline from organization where organization_id = :organization_id)
      from asked
), held as (
    insert into hold (organization_id, pool_id, hold_id, invitation_id, held_at)
    select :organization_id, pool_id, hold_id, invitation_id, :now from asked where pool_id is not null
), counted as (
    select pool_id, count(*)::integer as seats from asked where pool_id is not null group by pool_id
), settled as (
    update seat_pool p set held = p.held + c.seats
      from counted c
     where p.organization_id = :organization_id and p.pool_id = c.pool_id
), warned as (
    insert into event (organization_id, kind, subject_id, occurred_at, actor, request_id, facts)
    select p.organization_id, b.kind, p.pool_id, :now, :actor, :request_id,
        jsonb_build_object('seat_type', p.seat_type, 'purchased', p.purchased, 'available', p.available - c.seats)
      from counted c
     cross join lateral (
            select f.*, least(f.purchased, f.ceiling) - f.assigned - f.held as available from seat_pool f
             where f.organization_id = :organization_id and f.pool_id = c.pool_id and f.payer_member_id is null
               and f.capacity <> 'unlimited' limit 1) p
     cross join lateral (
            select v.kind from (values ('seats.low', greatest(1, p.purchased / 20)), ('seats.exhausted', 0)) v (kind, bound)
             where p.available > v.bound and p.available - c.seats <= v.bound limit 2) b
)
insert into event (organization_id, kind, subject_id, occurred_at, actor, request_id, facts)
select :organization_id, 'invitation.created', a.invitation_id, :now, :actor, :request_id,
       jsonb_build_object('role', a.role, 'holds_seat', a.pool_id is not null,
            'seat_type', coalesce(p.seat_type, a.seat_type))
  from asked a
  left join seat_pool p on p.organization_id = :organization_id and p.pool_id = a.pool_id

-- close: End pending invitations on locked pools, each once, and release the seats they hold.
with closed as (
    update invitation set state = :state, closed_at = :now, version = version + 1
     where organization_id = :organization_id and invitation_id = any(:invitation_ids::uuid[])
       and state = 'pending'
    returning invitation_id, role
), released as (
    update hold h set released_at = greatest(:now, h.held_at), outcome = :state
      from closed c
     where h.organization_id = :organization_id and h.invitation_id = c.invitation_id and h.released_at is null
    returning h.invitation_id, h.pool_id
), counted as (
    update seat_pool p set held = p.held - r.seats,
           state = case when p.assigned + p.held - r.seats <= p.purchased then 'open' else p.state end
      from (select pool_id, count(*)::integer as seats from released group by pool_id) r
     where p.organization_id = :organization_id and p.pool_id = r.pool_id
)
insert into event (organization_id, kind, subject_id, occurred_at, actor, request_id, facts)
select :organization_id, 'invitation.' || :state::text, c.invitation_id, :now, :actor, :request_id,
       jsonb_build_object('role', c.role, 'released_seat', r.pool_id is not null)
  from closed c
  left join released r on r.invitation_id = c.invitation_id

-- renew: Send a locked invitation again with another token, on a held seat that it has or takes now.
with renewed as (
    update invitation
       set token_hash = :token_hash, state = 'pending', sent_at = :now, expires_at = :expires_at, closed_at = null,
           version = version + 1
     where organization_id = :organization_id and invitation_id = :invitation_id
    returning invitation_id, role
), held as (
    insert into hold (organization_id, pool_id, hold_id, invitation_id, held_at)
    select :organization_id, :pool_id, :hold_id, invitation_id, :now from renewed where :pool_id::uuid is not null
    returning pool_id
), counted as (
    update seat_pool p set held = p.held + 1
      from held h
     where p.organization_id = :organization_id and p.pool_id = h.pool_id
), warned as (
    insert into event (organization_id, kind, subject_id, occurred_at, actor, request_id, facts)
    select p.organization_id, b.kind, p.pool_id, :now, :actor, :request_id,
        jsonb_build_object('seat_type', p.seat_type, 'purchased', p.purchased, 'available', p.available - 1)
      from held c
     cross join lateral (
            select f.*, least(f.purchased, f.ceiling) - f.assigned - f.held as available from seat_pool f
             where f.organization_id = :organization_id and f.pool_id = c.pool_id and f.payer_member_id is null
               and f.capacity <> 'unlimited' limit 1) p
     cross join lateral (
            select v.kind from (values ('seats.low', greatest(1, p.purchased / 20)), ('seats.exhausted', 0)) v (kind, bound)
             where p.available > v.bound and p.available - 1 <= v.bound limit 2) b
)
insert into event (organization_id, kind, subject_id, occurred_at, actor, request_id, facts)
select :organization_id, 'invitation.resent', invitation_id, :now, :actor, :request_id,
       jsonb_build_object('role', role, 'took_seat', :pool_id::uuid is not null)
  from renewed

-- accept: End a locked pending invitation; the seat it holds becomes the member's, or free where they have one.
with accepted as (
    update invitation set state = 'accepted', closed_at = :now, member_id = :member_id, version = version + 1
     where organization_id = :organization_id and invitation_id = :invitation_id and state = 'pending'
    returning invitation_id, role
), released as (
    update hold h set released_at = greatest(:now, h.held_at), outcome = 'accepted'
      from accepted a
     where h.organization_id = :organization_id and h.invitation_id = a.invitation_id and h.released_at is null
    returning h.pool_id
), made as (
    insert into assignment (organization_id, member_id, assignment_id, pool_id, assigned_at, rule)
    select :organization_id, :member_id, :assignment_id, pool_id,
        greatest(:now, (select max(coalesce(e.ended_at, e.assigned_at)) from assignment e
            where e.organization_id = :organization_id and e.member_id = :member_id)), 'invitation'
      from released where :takes_seat::boolean
    returning assignment_id, pool_id
), counted as (
    update seat_pool p
       set held = p.held - 1, assigned = p.assigned + n.seats,
           state = case when p.assigned + n.seats + p.held - 1 <= p.purchased then 'open' else p.state end
      from released r, (select count(*)::integer as seats from made) n
     where p.organization_id = :organization_id and p.pool_id = r.pool_id
), told as (
    insert into event (organization_id, kind, subject_id, member_id, occurred_at, actor, request_id, facts)
    select :organization_id, 'seat.assigned', m.assignment_id, :member_id, :now, :actor, :request_id,
        jsonb_build_object('seat_type', p.seat_type, 'rule', 'invitation')
      from made m
      join seat_pool p on p.organization_id = :organization_id and p.pool_id = m.pool_id
)
insert into event (organization_id, kind, subject_id, member_id, occurred_at, actor, request_id, facts)
select :organization_id, 'invitation.accepted', invitation_id, :member_id, :now, :actor, :request_id,
       jsonb_build_object('role', role)
  from accepted

-- due: Organizations on one clock with invitations whose time is over, those overdue longest first.
select i.organization_id, min(i.expires_at) as since
  from (select organization_id, expires_at from invitation
         where timeline = timeline_of(:clock_id) and state = 'pending' and expires_at <= :now
         order by expires_at
         limit :most) i
 group by i.organization_id
 order by min(i.expires_at), i.organization_id

-- lock_due: Invitations of an organization whose time is over and which nobody else is working on.
select invitation_id
  from invitation
 where organization_id = :organization_id and state = 'pending' and expires_at <= :now
 order by expires_at, invitation_id
 limit :most
   for no key update skip locked
