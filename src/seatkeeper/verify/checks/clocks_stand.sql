-- R-3: A clock that advances has its target ahead of it, and nobody holds it longer than a lease or leaves it.
-- Columns: clock_id; now_at; target_at; lease_until. The organization is always null: clocks belong to keys.
-- Cost: one pass over test clocks.
-- Parks: no
select null::uuid as organization_id, clock_id, now_at, target_at, lease_until
  from test_clock
 where target_at < now_at
    or lease_until > :now::timestamptz + interval '5 minutes'
    or lease_until < :now::timestamptz - interval '25 hours'
