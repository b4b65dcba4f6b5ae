-- The batches of the hot path keep one plan for ever, made perhaps while a table was empty, so they leave the
-- planner no choice: each look-up is lateral; `(select :array)` hides lengths, which makes one plan fit all;
-- `= any(array[…])` and `coalesce` keep an update from beginning with its own table. Each of them also locks
-- pools in the order of their ids. See docs/adr/0011 before changing a line.

-- take_seats: Assign one seat to each asked member as far as seats are free, with the facts for those who get none.
with asked as (
    select a.*, m.standing, s.seat_now_id, s.seat_now, p.pool_id
      from unnest((select :organization_ids::uuid[]), (select :member_ids::uuid[]), (select :seat_types::text[]),
               (select :assignment_ids::uuid[]), (select :instants::timestamptz[]), (select :rules::text[]),
               (select :actors::text[]), (select :request_ids::uuid[])) with ordinality
               as a (organization_id, member_id, seat_type, assignment_id, at, rule, actor, request_id, item)
      left join lateral (
            select m.standing from member m
             where m.organization_id = a.organization_id and m.member_id = a.member_id limit 1) m on true
      left join lateral (
            select s.assignment_id as seat_now_id, (select n.seat_type from seat_pool n
                where n.organization_id = s.organization_id and n.pool_id = s.pool_id) as seat_now
              from assignment s
             where s.organization_id = a.organization_id and s.member_id = a.member_id
               and s.exclusivity_set = 'seat' and s.ended_at is null limit 1) s on true
      left join lateral (
            select p.pool_id from seat_pool p
             where p.organization_id = a.organization_id and p.seat_type = a.seat_type
               and p.payer_member_id is null limit 1) p on true
), locked as (
    select a.*, p.rank, p.capacity, p.purchased, p.assigned, p.held, p.waiting, p.ceiling, p.state
      from (select * from asked
             where standing = 'active' and seat_now_id is null and pool_id is not null
             order by organization_id, pool_id, item) a
     cross join lateral (
            select p.* from seat_pool p
             where p.organization_id = a.organization_id and p.pool_id = a.pool_id
               for no key update) p
     -- Read again behind the pool's lock: who was removed meanwhile gets no seat. Only a lock that an
     -- update of the row conflicts with does so; `for key share` would be content with the old version.
     cross join lateral (
            select from member m
             where m.organization_id = p.organization_id and m.member_id = a.member_id and m.standing = 'active'
               for share) m
), placed as (
    select *, row_number() over (partition by organization_id, pool_id order by item)
        <= least(purchased, ceiling) - assigned - held as fits
      from locked
), made as (
    -- Never before the member's earlier seat ended, by whichever clock that was: S-4.
    insert into assignment (organization_id, member_id, assignment_id, pool_id, assigned_at, rule)
    select organization_id, member_id, assignment_id, pool_id,
        greatest(at, (select max(coalesce(e.ended_at, e.assigned_at)) from assignment e
            where e.organization_id = placed.organization_id and e.member_id = placed.member_id)), rule
      from placed where fits
    on conflict (organization_id, member_id, exclusivity_set) where ended_at is null do nothing
    returning assignment_id
), seated as (
    select *, least(purchased, ceiling) - assigned - held
            - row_number() over (partition by organization_id, pool_id order by item) as left_free
      from placed where (assignment_id in (select assignment_id from made)) is true
), taken as (
    -- From what the lock showed, all that the constraints compare: they are checked first on the row which the
    -- statement's snapshot sees, and a seat bought, freed or released meanwhile would be one too many there.
    update seat_pool p
       set purchased = m.purchased, assigned = m.assigned + m.seats, held = m.held, state = m.state
      from (select organization_id, pool_id, purchased, assigned, held, state, count(*)::integer as seats
              from seated group by 1, 2, 3, 4, 5, 6) m
     where p.organization_id = any(array[m.organization_id]) and p.pool_id = m.pool_id
), told as (
    insert into event (organization_id, kind, subject_id, member_id, occurred_at, actor, request_id, facts)
    select organization_id, 'seat.assigned', assignment_id, member_id, at, actor, request_id,
        jsonb_build_object('seat_type', seat_type, 'rule', rule)
      from seated
     union all
    -- The taking that reaches a bound tells of it, once: of a twentieth of the seats (or one), and of none.
    select organization_id, case left_free when 0 then 'seats.exhausted' else 'seats.low' end, pool_id, null, at, actor,
        request_id, jsonb_build_object('seat_type', seat_type, 'purchased', purchased, 'available', left_free)
      from seated where left_free in (greatest(1, purchased / 20), 0) and capacity <> 'unlimited'
)
select item, case when assignment_id in (select assignment_id from made) then assignment_id end as assignment_id,
       standing, seat_now_id, seat_now, pool_id, seat_type, rank, capacity, purchased, assigned, held, waiting,
       ceiling, state
  from placed
 union all
select item, null, standing, seat_now_id, seat_now, pool_id, seat_type,
       null, null, null, null, null, null, null, null
  from asked where (standing = 'active' and seat_now_id is null and pool_id is not null) is not true

-- free_seats: End the asked members' seats where nobody waits for one, with the facts for the others.
with asked as (
    select a.*, m.standing, s.assignment_id, s.pool_id
      from unnest((select :organization_ids::uuid[]), (select :member_ids::uuid[]), (select :instants::timestamptz[]),
               (select :rules::text[]), (select :actors::text[]), (select :request_ids::uuid[])) with ordinality
               as a (organization_id, member_id, at, rule, actor, request_id, item)
      left join lateral (
            select m.standing from member m
             where m.organization_id = a.organization_id and m.member_id = a.member_id limit 1) m on true
      left join lateral (
            select s.assignment_id, s.pool_id from assignment s
             where s.organization_id = a.organization_id and s.member_id = a.member_id
               and s.exclusivity_set = 'seat' and s.ended_at is null limit 1) s on true
), locked as (
    select a.*, p.seat_type, p.every_member, p.purchased, p.assigned, p.held, p.state,
           p.waiting = 0 and not p.every_member as free
      from (select * from asked where pool_id is not null order by organization_id, pool_id, item) a
     cross join lateral (
            select p.* from seat_pool p
             where p.organization_id = a.organization_id and p.pool_id = a.pool_id
               for no key update) p
), ended as (
    update assignment s set ended_at = greatest(l.at, s.assigned_at), ended_rule = l.rule
      from locked l
     where l.free and s.organization_id = any(array[l.organization_id]) and s.member_id = l.member_id
       and s.assignment_id = l.assignment_id and coalesce(s.ended_at, 'infinity') = 'infinity'
    returning s.assignment_id
), freed as (
    -- All that the constraints compare from what the lock showed, as above.
    update seat_pool p set purchased = e.purchased, assigned = e.assigned - e.seats, held = e.held,
           state = case when e.assigned - e.seats + e.held <= e.purchased then 'open' else e.state end
      from (select organization_id, pool_id, min(assigned) as assigned, min(held) as held,
                   min(purchased) as purchased, min(state) as state, count(*)::integer as seats
              from locked where (assignment_id in (select assignment_id from ended)) is true
             group by organization_id, pool_id) e
     where p.organization_id = any(array[e.organization_id]) and p.pool_id = e.pool_id
), told as (
    insert into event (organization_id, kind, subject_id, member_id, occurred_at, actor, request_id, facts)
    select organization_id, 'seat.unassigned', assignment_id, member_id, at, actor, request_id,
        jsonb_build_object('seat_type', seat_type)
      from locked where (assignment_id in (select assignment_id from ended)) is true
)
select item, case when assignment_id in (select assignment_id from ended) then assignment_id end as ended_id,
       standing, assignment_id, every_member
  from locked
 union all
select item, null, standing, null, null from asked where pool_id is null

-- lock_pools: Lock the organization's shared pools in their one order.
select pool_id, subscription_id, seat_type, rank, capacity, every_member, purchased, assigned, held, waiting, ceiling, state,
       billed_at, paid, level, billed_minor
  from seat_pool
 where organization_id = :organization_id and payer_member_id is null
 order by pool_id
   for no key update

-- pools: The organization's shared pools as they are now.
select pool_id, subscription_id, seat_type, rank, capacity, every_member, purchased, assigned, held, waiting, ceiling, state,
       billed_at, paid, level, billed_minor
  from seat_pool
 where organization_id = :organization_id and payer_member_id is null
 order by pool_id

-- summary: Seats per type now, over shared and member-paid pools, with what is scheduled.
select p.seat_type, min(p.rank) as rank, sum(p.purchased)::integer as purchased, sum(p.assigned)::integer as assigned,
       sum(p.held)::integer as held, max(p.waiting)::integer as waiting,
       bool_or(p.state = 'over_limit') as over_limit, min(p.capacity) as capacity,
       sum(greatest(least(p.purchased, p.ceiling) - p.assigned - p.held, 0))::integer as available
  from seat_pool p
 where p.organization_id = :organization_id and (p.purchased > 0 or p.assigned > 0 or p.held > 0)
 group by p.seat_type
 order by min(p.rank) desc, p.seat_type

-- summary_at: Seats per type at a past instant, rebuilt from the ledger, the assignments and the holds.
select p.seat_type, min(p.rank) as rank,
       sum(coalesce(l.purchased, 0))::integer as purchased,
       sum(coalesce(a.assigned, 0))::integer as assigned,
       sum(coalesce(h.held, 0))::integer as held, 0 as waiting,
       sum(coalesce(a.assigned, 0) + coalesce(h.held, 0)) > sum(coalesce(l.purchased, 0)) as over_limit,
       -- The capacity of the pool is that of today; one without a limit had all seats there can be.
       case when sum(coalesce(l.purchased, 0)) >= 1000000 then 'unlimited' else 'purchased' end as capacity,
       greatest(sum(coalesce(l.purchased, 0) - coalesce(a.assigned, 0) - coalesce(h.held, 0)), 0)::integer
           as available
  from seat_pool p
  left join (select e.pool_id, sum(e.delta) as purchased from seat_ledger e
              where e.organization_id = :organization_id and e.effective_at <= :at
              group by e.pool_id) l on l.pool_id = p.pool_id
  left join (select s.pool_id, count(*) as assigned from assignment s
              where s.organization_id = :organization_id and s.assigned_at <= :at
                and (s.ended_at is null or s.ended_at > :at)
              group by s.pool_id) a on a.pool_id = p.pool_id
  left join (select o.pool_id, count(*) as held from hold o
              where o.organization_id = :organization_id and o.held_at <= :at
                and (o.released_at is null or o.released_at > :at)
              group by o.pool_id) h on h.pool_id = p.pool_id
 where p.organization_id = :organization_id
 group by p.seat_type
having sum(coalesce(l.purchased, 0) + coalesce(a.assigned, 0) + coalesce(h.held, 0)) > 0
 order by min(p.rank) desc, p.seat_type

-- seats_of: The seat each of the asked members holds now; no row for who is not an active member.
select m.member_id, s.assignment_id, p.seat_type, p.pool_id, p.payer_member_id is not null as own
  from member m
  left join assignment s on s.organization_id = m.organization_id and s.member_id = m.member_id
       and s.exclusivity_set = 'seat' and s.ended_at is null
  left join seat_pool p on p.organization_id = s.organization_id and p.pool_id = s.pool_id
 where m.organization_id = :organization_id and m.member_id = any(:member_ids::uuid[]) and m.standing = 'active'

-- move_seats: Carry out a decided batch of moves on locked pools: end old seats, begin new ones, count, tell.
with asked as (
    select :organization_id::uuid as organization_id, a.member_id, a.pool_id, a.assignment_id,
           o.assignment_id as old_id, o.pool_id as old_pool_id
      from unnest((select :member_ids::uuid[]), (select :pool_ids::uuid[]), (select :assignment_ids::uuid[]))
           as a (member_id, pool_id, assignment_id)
      left join lateral (
            select s.assignment_id, s.pool_id from assignment s
             where s.organization_id = :organization_id and s.member_id = a.member_id
               and s.exclusivity_set = 'seat' and s.ended_at is null limit 1) o on true
), ended as (
    update assignment s set ended_at = greatest(:now, s.assigned_at), ended_rule = :rule
      from asked a
     where s.organization_id = any(array[a.organization_id]) and s.member_id = a.member_id
       and s.assignment_id = a.old_id and coalesce(s.ended_at, 'infinity') = 'infinity'
    returning s.assignment_id
), counted as (
    select organization_id, pool_id, sum(delta)::integer as delta from (
        select organization_id, pool_id, 1 as delta from asked where pool_id is not null
        union all select organization_id, old_pool_id, -1 from asked where old_pool_id is not null) d
     group by organization_id, pool_id
), made as (
    -- The count of `ended` makes the old seats end before the new ones begin: the index allows one.
    insert into assignment (organization_id, member_id, assignment_id, pool_id, assigned_at, rule)
    select a.organization_id, a.member_id, a.assignment_id, a.pool_id,
        greatest(:now, (select max(coalesce(e.ended_at, e.assigned_at)) from assignment e
            where e.organization_id = a.organization_id and e.member_id = a.member_id)), :rule
      from asked a
     where a.pool_id is not null and (select count(*) from ended) >= 0
), settled as (
    update seat_pool p set assigned = p.assigned + c.delta,
           state = case when p.assigned + c.delta + p.held <= p.purchased then 'open' else p.state end
      from counted c
     where p.organization_id = any(array[c.organization_id]) and p.pool_id = c.pool_id
), warned as (
    insert into event (organization_id, kind, subject_id, occurred_at, actor, request_id, facts)
    select p.organization_id, b.kind, p.pool_id, :now, :actor, :request_id,
        jsonb_build_object('seat_type', p.seat_type, 'purchased', p.purchased, 'available', p.available - c.delta)
      from counted c
     cross join lateral (
            select f.*, least(f.purchased, f.ceiling) - f.assigned - f.held as available from seat_pool f
             where f.organization_id = :organization_id and f.pool_id = c.pool_id and f.payer_member_id is null
               and f.capacity <> 'unlimited' limit 1) p
     cross join lateral (
            select v.kind from (values ('seats.low', greatest(1, p.purchased / 20)), ('seats.exhausted', 0)) v (kind, bound)
             where p.available > v.bound and p.available - c.delta <= v.bound limit 2) b
)
insert into event (organization_id, kind, subject_id, member_id, occurred_at, actor, request_id, facts)
select a.organization_id,
       case when a.pool_id is null then 'seat.unassigned' when a.old_id is null then 'seat.assigned'
            else 'seat.reassigned' end,
       case when a.pool_id is null then a.old_id else a.assignment_id end, a.member_id, :now, :actor, :request_id,
       jsonb_strip_nulls(jsonb_build_object('rule', :rule::text,
            'from', (select f.seat_type from seat_pool f
                where f.organization_id = a.organization_id and f.pool_id = a.old_pool_id),
            'to', (select f.seat_type from seat_pool f
                where f.organization_id = a.organization_id and f.pool_id = a.pool_id)))
  from asked a

-- history: Who held which seat, newest first, a page at a time.
select w.assignment_id, w.member_id, m.name, m.email, p.seat_type, w.assigned_at, w.ended_at, w.rule, w.ended_rule,
       w.place, w.fits
  from (select a.*, row_number() over (order by assignment_id desc) as place,
               :at::timestamptz is null or (assigned_at <= :at and (ended_at is null or ended_at > :at)) as fits
          from ((select * from assignment
                  where :member_id::uuid is null and organization_id = :organization_id and assignment_id < :before
                    and assigned_at > '-infinity'
                  order by assignment_id desc limit :walk)
                union all
                (select * from assignment
                  where organization_id = :organization_id and member_id = :member_id and assignment_id < :before
                  order by assignment_id desc limit :walk)) a) w
 -- Lateral, so that the holdings lead; see docs/adr/0011.
 cross join lateral (
        select n.name, n.email from member n
         where n.organization_id = w.organization_id and n.member_id = w.member_id limit 1) m
 cross join lateral (
        select n.seat_type from seat_pool n
         where n.organization_id = w.organization_id and n.pool_id = w.pool_id limit 1) p
 where w.fits or w.place = :walk
 order by w.assignment_id desc
 limit :page

-- waiting: People who wait for one of these seat types or for any, longest first, at most so many.
select request_id, member_id, seat_type, choice, queued_at
  from seat_request
 where organization_id = :organization_id and state = 'waiting' and queued_at > '-infinity'
   and (seat_type is null or seat_type = any(:seat_types::text[]))
 order by queued_at, request_id
 limit :most
   for no key update

-- bought_for: People for whom a seat was bought because they came in, longest first, at most so many.
select request_id, member_id, seat_type, choice, queued_at
  from seat_request
 where organization_id = :organization_id and state = 'waiting' and reason = 'purchase'
   and (seat_type is null or seat_type = any(:seat_types::text[]))
 order by queued_at, request_id
 limit :most
   for no key update

-- serve: Give each chosen waiting member a seat of the chosen pool, on locked pools; another one they hold ends.
with chosen as (
    select * from unnest(:request_ids::uuid[], :pool_ids::uuid[], :assignment_ids::uuid[])
        as c (request_id, pool_id, assignment_id)
), served as (
    update seat_request r set state = 'served', closed_at = :now
      from chosen c
     where r.organization_id = :organization_id and r.request_id = c.request_id and r.state = 'waiting'
    returning r.request_id, r.member_id, r.seat_type, c.pool_id, c.assignment_id
), prior as (
    select v.member_id, s.assignment_id, s.pool_id, v.pool_id as next_pool_id
      from served v
      join assignment s on s.organization_id = :organization_id and s.member_id = v.member_id
           and s.exclusivity_set = 'seat' and s.ended_at is null
), ended as (
    update assignment s set ended_at = greatest(:now, s.assigned_at), ended_rule = 'queue'
      from prior o
     where s.organization_id = :organization_id and s.member_id = o.member_id and s.assignment_id = o.assignment_id
       and o.pool_id <> o.next_pool_id and s.ended_at is null
    returning s.member_id, s.pool_id
), made as (
    -- The count of `ended` makes the old seats end before the new ones begin: the index allows one.
    insert into assignment (organization_id, member_id, assignment_id, pool_id, assigned_at, rule)
    select :organization_id, v.member_id, v.assignment_id, v.pool_id,
        greatest(:now, (select max(coalesce(e.ended_at, e.assigned_at)) from assignment e
            where e.organization_id = :organization_id and e.member_id = v.member_id)), 'queue'
      from served v
     where not exists (select 1 from prior o where o.member_id = v.member_id and o.pool_id = v.pool_id)
       and (select count(*) from ended) >= 0
    returning member_id, assignment_id, pool_id
), counted as (
    select pool_id, sum(delta)::integer as delta from (
        select pool_id, 1 as delta from made
        union all select pool_id, -1 from ended) d
     group by pool_id
), settled as (
    update seat_pool p
       set assigned = p.assigned + coalesce(c.delta, 0),
           waiting = p.waiting - (select count(*) from served v
                                   where v.seat_type is null or v.seat_type = p.seat_type)::integer,
           state = case when p.assigned + coalesce(c.delta, 0) + p.held <= p.purchased then 'open' else p.state end
      from seat_pool q
      left join counted c on c.pool_id = q.pool_id
     where q.organization_id = :organization_id and q.payer_member_id is null
       and p.organization_id = q.organization_id and p.pool_id = q.pool_id
), warned as (
    insert into event (organization_id, kind, subject_id, occurred_at, actor, request_id, facts)
    select p.organization_id, b.kind, p.pool_id, :now, :actor, :request_id,
        jsonb_build_object('seat_type', p.seat_type, 'purchased', p.purchased, 'available', p.available - c.delta)
      from counted c
     cross join lateral (
            select f.*, least(f.purchased, f.ceiling) - f.assigned - f.held as available from seat_pool f
             where f.organization_id = :organization_id and f.pool_id = c.pool_id and f.payer_member_id is null
               and f.capacity <> 'unlimited' limit 1) p
     cross join lateral (
            select v.kind from (values ('seats.low', greatest(1, p.purchased / 20)), ('seats.exhausted', 0)) v (kind, bound)
             where p.available > v.bound and p.available - c.delta <= v.bound limit 2) b
)
insert into event (organization_id, kind, subject_id, member_id, occurred_at, actor, request_id, facts)
select :organization_id, case when e.pool_id is null then 'seat.assigned' else 'seat.reassigned' end,
       m.assignment_id, m.member_id, :now, :actor, :request_id,
       jsonb_strip_nulls(jsonb_build_object('seat_type', p.seat_type, 'from', f.seat_type, 'rule', 'queue'))
  from made m
  join seat_pool p on p.organization_id = :organization_id and p.pool_id = m.pool_id
  left join ended e on e.member_id = m.member_id
  left join seat_pool f on f.organization_id = :organization_id and f.pool_id = e.pool_id
