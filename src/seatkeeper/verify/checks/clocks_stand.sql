-- T-6: A test clock that rests has no target, and one that advances has one ahead of it.
-- Columns: clock_id; state; now_at; target_at. The organization is always null: clocks belong to keys.
-- Cost: one pass over test clocks.
-- Parks: no
select null::uuid as organization_id, clock_id, state, now_at, target_at
  from test_clock
 where (state = 'advancing') <> (target_at is not null) or target_at < now_at
