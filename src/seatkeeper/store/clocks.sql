-- insert: Start a test clock.
insert into test_clock (clock_id, name, now_at, state, owner_key_id, created_at)
values (:clock_id, :name, :now_at, 'ready', :key_id, :created_at)
returning clock_id, name, now_at, state, target_at, lease_until, epoch, done, failure, created_at

-- one: A test clock of the key that made it, or any for an operator.
select clock_id, name, now_at, state, target_at, lease_until, epoch, done, failure, created_at
  from test_clock where clock_id = :clock_id and (:key_id::uuid is null or owner_key_id = :key_id)

-- page: The test clocks of a key, or all for an operator, newest first.
select clock_id, name, now_at, state, target_at, lease_until, epoch, done, failure, created_at
  from ((select * from test_clock where :key_id::uuid is null and clock_id < :before
          order by clock_id desc limit :page)
        union all
        (select * from test_clock where owner_key_id = :key_id and clock_id < :before
          order by clock_id desc limit :page)) c
 order by clock_id desc
 limit :page

-- hold: Lock a clock that nobody has taken since it was read; waits for what an old walker has under way.
select clock_id from test_clock where clock_id = :clock_id and epoch = :epoch for update

-- hold_abandoned: Lock the clock that has waited longest for a walker; one with something under way is left for later.
select clock_id, name, now_at, state, target_at, lease_until, epoch, done, failure, created_at
  from test_clock
 where state = 'advancing' and lease_until <= :now
 order by lease_until
 limit 1
   for update skip locked

-- take: Take a locked clock to advance it; what an advance that was cut off has done goes on being counted.
update test_clock
   set state = 'advancing', target_at = :target_at, lease_until = :lease_until, epoch = epoch + 1, failure = null,
       done = case when state = 'advancing' then done else '{}' end
 where clock_id = :clock_id
returning clock_id, name, now_at, state, target_at, lease_until, epoch, done, failure, created_at

-- fence: Whether this walker may still write; whoever wants to take the clock waits for its transaction.
select true as mine from test_clock where clock_id = :clock_id and epoch = :epoch for key share

-- step: Put a clock on an instant, never back, and note what was done so far.
update test_clock set now_at = greatest(now_at, :now_at), done = :done, lease_until = :lease_until
 where clock_id = :clock_id and epoch = :epoch and state = 'advancing'

-- lease: Say that the walker is alive, or until when nobody should take its place.
update test_clock set lease_until = :lease_until
 where clock_id = :clock_id and epoch = :epoch and state = 'advancing'

-- finish: End an advance, at its target or where it failed.
update test_clock set state = :state, target_at = null, lease_until = null, failure = :failure,
       done = coalesce(:done, done)
 where clock_id = :clock_id and epoch = :epoch and state = 'advancing'
