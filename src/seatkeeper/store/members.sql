-- actor: The member in whose name a key acts.
select role, may_bill from member
 where organization_id = :organization_id and member_id = :member_id and standing = 'active'

-- one: A member as readers see them, whatever their standing.
select m.member_id, m.email, m.name, m.role, m.may_bill, m.standing, m.source, m.joined_at, m.removed_at, m.version,
       u.external_id, s.assignment_id, p.seat_type, r.queued_at
  from member m
  join user_account u on u.user_id = m.user_id
  left join assignment s on s.organization_id = m.organization_id and s.member_id = m.member_id
       and s.exclusivity_set = 'seat' and s.ended_at is null
  left join seat_pool p on p.organization_id = s.organization_id and p.pool_id = s.pool_id
  left join seat_request r on r.organization_id = m.organization_id and r.member_id = m.member_id
       and r.state = 'waiting'
 where m.organization_id = :organization_id and m.member_id = :member_id

-- page: Members by id, a page at a time; those who were removed only when asked for.
-- Candidates come from the index that `lead` names; see operations/cursors.py for `walk`, `place` and `fits`.
select w.member_id, w.email, w.name, w.role, w.may_bill, w.standing, w.source, w.joined_at, w.removed_at, w.version,
       u.external_id, w.assignment_id, w.seat_type, w.queued_at, w.place, w.fits
  from (select c.member_id, m.user_id, m.email, m.name, m.role, m.may_bill, m.standing, m.source, m.joined_at,
               m.removed_at, m.version, s.assignment_id, p.seat_type, r.queued_at,
               row_number() over (order by c.member_id) as place,
               (:role::text is null or m.role = :role)
               and (:seat_type::text is null or p.seat_type = :seat_type)
               and (:start::text is null or starts_with(m.email, :start) or starts_with(lower(m.name), :start))
               and case when :state::text is null then m.standing <> 'removed'
                        else :state = case when m.standing <> 'active' then m.standing
                             when s.assignment_id is not null then 'seated'
                             when r.request_id is not null then 'awaiting_seat' else 'unseated' end
                   end as fits
          from ((select member_id from member
                  where organization_id = :organization_id and standing = :standing and member_id > :after
                  order by member_id limit :walk)
                union all
                (select member_id from member
                  where :lead::text = 'live' and organization_id = :organization_id and standing = 'suspended'
                    and member_id > :after
                  order by member_id limit :walk)
                union all
                (select member_id from member
                  where :lead = 'role' and organization_id = :organization_id and role = :role
                    and standing <> 'removed' and member_id > :after
                  order by member_id limit :walk)
                union all
                (select member_id from assignment
                  where :lead = 'seat' and organization_id = :organization_id and exclusivity_set = 'seat'
                    and ended_at is null and member_id > :after
                  order by member_id limit :walk)
                union all
                (select member_id from seat_request
                  where :lead = 'queue' and organization_id = :organization_id and state = 'waiting'
                    and member_id > :after
                  order by member_id limit :walk)) c
         -- Lateral, so that the candidates lead; see docs/adr/0011.
         cross join lateral (
                select * from member n
                 where n.organization_id = :organization_id and n.member_id = c.member_id limit 1) m
          left join lateral (
                select n.assignment_id, n.pool_id from assignment n
                 where n.organization_id = :organization_id and n.member_id = c.member_id
                   and n.exclusivity_set = 'seat' and n.ended_at is null limit 1) s on true
          left join lateral (
                select n.seat_type from seat_pool n
                 where n.organization_id = :organization_id and n.pool_id = s.pool_id limit 1) p on true
          left join lateral (
                select n.request_id, n.queued_at from seat_request n
                 where n.organization_id = :organization_id and n.member_id = c.member_id and n.state = 'waiting'
                 limit 1) r on true) w
 cross join lateral (select n.external_id from user_account n where n.user_id = w.user_id limit 1) u
 where w.fits or w.place = :walk
 order by w.member_id
 limit :page

-- lock_pools: Lock the pools in which a member can sit: the shared ones and those the member pays.
select pool_id, payer_member_id, seat_type, rank, capacity, every_member, purchased, assigned, held, waiting, ceiling,
       state
  from seat_pool
 where organization_id = :organization_id
   and (payer_member_id is null or payer_member_id = :member_id)
 order by pool_id
   for no key update

-- user: The user with that external id, made where there is none yet.
with found as (
    select user_id from user_account where external_id = :external_id
), made as (
    insert into user_account (user_id, external_id, created_at)
    select :user_id, :external_id, :now where not exists (select 1 from found)
    on conflict (external_id) do update set external_id = excluded.external_id
    returning user_id
)
select user_id from found union all select user_id from made

-- lock: One member, locked for a change.
select member_id, email, name, role, may_bill, standing, source, version
  from member
 where organization_id = :organization_id and member_id = :member_id
   for no key update

-- lock_user: The member that a user is or was here, locked for a change.
select member_id, email, name, role, may_bill, standing, source, version
  from member
 where organization_id = :organization_id and user_id = :user_id
   for no key update

-- lock_owners: The primary owner and one more member, locked in their one order.
select member_id, email, role, standing, version
  from member
 where organization_id = :organization_id
   and (member_id = :member_id or (role = 'primary_owner' and standing <> 'removed'))
 order by member_id
   for no key update

-- household: Who is in the organization; people are counted only where a plan limits them.
select exists (select 1 from member m where m.organization_id = :organization_id and m.role = 'primary_owner'
            and m.standing <> 'removed') as has_primary_owner,
       case when :counted::boolean then
            (select count(*) from member m where m.organization_id = :organization_id and m.standing <> 'removed')
          + (select count(*) from invitation i where i.organization_id = :organization_id
                and i.state = 'pending' and i.expires_at > :now)
            else 0 end::integer as people

-- insert: A user becomes a member.
with made as (
    insert into member (organization_id, member_id, user_id, email, name, role, standing, source, joined_at)
    values (:organization_id, :member_id, :user_id, :email, :name, :role, 'active', :source, :now)
    returning member_id
)
insert into event (organization_id, kind, subject_id, member_id, occurred_at, actor, request_id, facts)
select :organization_id, 'member.added', member_id, member_id, :now, :actor, :request_id,
       jsonb_build_object('role', :role::text, 'source', :source::text)
  from made

-- restore: A removed member comes back, with the history that belongs to the row.
with restored as (
    update member
       set standing = 'active', email = :email, name = :name, role = :role, may_bill = false, source = :source,
           joined_at = :now, removed_at = null, version = version + 1
     where organization_id = :organization_id and member_id = :member_id and standing = 'removed'
    returning member_id
)
insert into event (organization_id, kind, subject_id, member_id, occurred_at, actor, request_id, facts)
select :organization_id, 'member.added', member_id, member_id, :now, :actor, :request_id,
       jsonb_build_object('role', :role::text, 'source', :source::text, 'restored', true)
  from restored

-- change: Change a locked member.
update member
   set email = :email, name = :name, may_bill = :may_bill, standing = :standing, version = version + 1
 where organization_id = :organization_id and member_id = :member_id

-- remove: A locked member is a member no longer.
with removed as (
    update member set standing = 'removed', removed_at = :now, version = version + 1
     where organization_id = :organization_id and member_id = :member_id and standing <> 'removed'
    returning member_id, role
)
insert into event (organization_id, kind, subject_id, member_id, occurred_at, actor, request_id, facts)
select :organization_id, 'member.removed', member_id, member_id, :now, :actor, :request_id,
       jsonb_build_object('role', role)
  from removed

-- set_role: Give a locked member another role.
with changed as (
    update member set role = :role, version = version + 1
     where organization_id = :organization_id and member_id = :member_id
    returning member_id
)
insert into event (organization_id, kind, subject_id, member_id, occurred_at, actor, request_id, facts)
select :organization_id, 'role.changed', member_id, member_id, :now, :actor, :request_id,
       jsonb_strip_nulls(jsonb_build_object('before', :before::text, 'after', :role::text, 'forced', :forced::boolean))
  from changed

-- by_email: Live members and pending invitations with one of these addresses.
select email from member
 where organization_id = :organization_id and email = any(:emails::text[]) and standing <> 'removed'
union all
select email from invitation
 where organization_id = :organization_id and email = any(:emails::text[]) and state = 'pending'

-- with_email: The live member with that address.
select member_id from member
 where organization_id = :organization_id and email = :email and standing <> 'removed'

-- seat: The seat a member holds, whatever pool it is of.
select s.assignment_id, s.pool_id, p.seat_type
  from assignment s
  join seat_pool p on p.organization_id = s.organization_id and p.pool_id = s.pool_id
 where s.organization_id = :organization_id and s.member_id = :member_id
   and s.exclusivity_set = 'seat' and s.ended_at is null

-- last_seat: The seat type a member held last, and how it ended.
select p.seat_type, s.ended_rule
  from assignment s
  join seat_pool p on p.organization_id = s.organization_id and p.pool_id = s.pool_id
 where s.organization_id = :organization_id and s.member_id = :member_id
   and s.exclusivity_set = 'seat' and s.ended_at is not null
 order by s.assignment_id desc
 limit 1
