-- setup: The smallest tables on which the same transactions can be done.
create table if not exists bench_pool (organization_id uuid, pool_id uuid, purchased integer,
    assigned integer not null default 0, held integer not null default 0,
    primary key (organization_id, pool_id)) with (fillfactor = 50);
create table if not exists bench_assignment (organization_id uuid, assignment_id uuid default gen_random_uuid(),
    pool_id uuid, member_id uuid, assigned_at timestamptz, ended_at timestamptz,
    primary key (organization_id, assignment_id));
create table if not exists bench_event (event_id bigint generated always as identity primary key,
    organization_id uuid, kind text, subject_id uuid, occurred_at timestamptz);
create table if not exists bench_member (organization_id uuid, member_id uuid, assignment_id uuid, standing text,
    primary key (organization_id, member_id));
truncate bench_pool, bench_assignment, bench_event, bench_member;
insert into bench_pool select i::text::uuid, i::text::uuid, 1000000 from
    (select lpad(n::text, 32, '0') as i from generate_series(1, 1000) n) n;
insert into bench_member (organization_id, member_id, standing)
    select lpad((n % 1000 + 1)::text, 32, '0')::uuid, lpad(n::text, 32, '0')::uuid, 'active'
      from generate_series(0, 99999) n;
insert into bench_assignment (organization_id, assignment_id, pool_id, member_id, assigned_at)
    select organization_id, member_id, organization_id, member_id, now() from bench_member;
analyze bench_pool, bench_assignment, bench_member

-- assign: One guarded statement: seat, assignment, event.
\set p random(1, :pools)
with taken as (
    update bench_pool set assigned = assigned + 1
     where organization_id = lpad(:p::int::text, 32, '0')::uuid and pool_id = lpad(:p::int::text, 32, '0')::uuid
       and assigned + held < purchased
    returning organization_id, pool_id
), made as (
    insert into bench_assignment (organization_id, pool_id, member_id, assigned_at)
    select organization_id, pool_id, gen_random_uuid(), now() from taken
    returning organization_id, assignment_id
), told as (
    insert into bench_event (organization_id, kind, subject_id, occurred_at)
    select organization_id, 'seat.assigned', assignment_id, now() from made
)
select assignment_id from made;

-- unassign: The same backwards.
\set m random(0, 99999)
with ended as (
    update bench_assignment set ended_at = now()
     where organization_id = lpad((:m::int % 1000 + 1)::text, 32, '0')::uuid
       and assignment_id = lpad(:m::int::text, 32, '0')::uuid
    returning organization_id, pool_id, assignment_id
), freed as (
    update bench_pool p set assigned = greatest(p.assigned - 1, 0) from ended e
     where p.organization_id = e.organization_id and p.pool_id = e.pool_id
), told as (
    insert into bench_event (organization_id, kind, subject_id, occurred_at)
    select organization_id, 'seat.unassigned', assignment_id, now() from ended
)
select assignment_id from ended;

-- check: A member with the seat and its pool, by key.
\set m random(0, 99999)
select m.standing, a.assignment_id, p.purchased
  from bench_member m
  left join bench_assignment a on a.organization_id = m.organization_id and a.assignment_id = m.member_id
  left join bench_pool p on p.organization_id = a.organization_id and p.pool_id = a.pool_id
 where m.organization_id = lpad((:m::int % 1000 + 1)::text, 32, '0')::uuid
   and m.member_id = lpad(:m::int::text, 32, '0')::uuid;

-- summary: The counters of one organization.
\set p random(1, :pools)
select sum(purchased), sum(assigned), sum(held) from bench_pool
 where organization_id = lpad(:p::int::text, 32, '0')::uuid;

-- move: A thousand assignments that end, a thousand that begin and a thousand events as bare rows.
with made as (
    insert into bench_assignment (organization_id, pool_id, member_id, assigned_at)
    select lpad('1', 32, '0')::uuid, lpad('1', 32, '0')::uuid, gen_random_uuid(), now() from generate_series(1, 1000)
    returning organization_id, assignment_id
), closed as (
    insert into bench_assignment (organization_id, pool_id, member_id, assigned_at, ended_at)
    select lpad('2', 32, '0')::uuid, lpad('2', 32, '0')::uuid, gen_random_uuid(), now(), now()
      from generate_series(1, 1000)
), counted as (
    update bench_pool set assigned = assigned + 1 where organization_id = lpad('1', 32, '0')::uuid
)
insert into bench_event (organization_id, kind, subject_id, occurred_at)
select organization_id, 'seat.reassigned', assignment_id, now() from made;

-- purchase: Counter, invoice, line, payment and event of one purchase as bare rows.
\set p random(1, :pools)
begin;
update bench_pool set purchased = purchased + 1
 where organization_id = lpad(:p::int::text, 32, '0')::uuid and pool_id = lpad(:p::int::text, 32, '0')::uuid;
insert into bench_event (organization_id, kind, subject_id, occurred_at)
select lpad(:p::int::text, 32, '0')::uuid, k, gen_random_uuid(), now()
  from unnest(array['invoice', 'line', 'payment', 'change']) k;
commit;
begin;
insert into bench_event (organization_id, kind, subject_id, occurred_at)
select lpad(:p::int::text, 32, '0')::uuid, k, gen_random_uuid(), now()
  from unnest(array['ledger', 'paid', 'purchased']) k;
commit;

-- renew: A thousand renewals as bare rows: period, invoice, line, event, in one transaction.
insert into bench_event (organization_id, kind, subject_id, occurred_at)
select lpad('1', 32, '0')::uuid, k, gen_random_uuid(), now()
  from generate_series(1, 1000), unnest(array['period', 'invoice', 'line', 'renewed']) k;
