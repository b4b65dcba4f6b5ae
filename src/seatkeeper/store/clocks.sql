-- insert: Start a test clock.
insert into test_clock (clock_id, name, now_at, state, owner_key_id, created_at)
values (:clock_id, :name, :now_at, 'ready', :key_id, :created_at)
returning clock_id, name, now_at, state, created_at

-- one: A test clock of the key that made it, or any for an operator.
select clock_id, name, now_at, state, created_at
  from test_clock where clock_id = :clock_id and (:key_id::uuid is null or owner_key_id = :key_id)

-- page: The test clocks of a key, newest first.
select clock_id, name, now_at, state, created_at
  from test_clock
 where (:key_id::uuid is null or owner_key_id = :key_id) and (:after::uuid is null or clock_id < :after)
 order by clock_id desc
 limit :page

-- lock: A test clock, locked.
select clock_id, name, now_at, target_at, state
  from test_clock where clock_id = :clock_id and (:key_id::uuid is null or owner_key_id = :key_id)
   for no key update

-- set_state: Note that a clock begins or ends to advance.
update test_clock set state = :state, target_at = :target_at
 where clock_id = :clock_id and (:key_id::uuid is null or owner_key_id = :key_id)

-- set_time: Put a clock on an instant; never back.
update test_clock set now_at = greatest(now_at, :now_at) where clock_id = :clock_id
