-- T-7: A subscription that has ended owns no seats, and nothing is scheduled for it.
-- Columns: subscription_id; pool_id with seats, or change_id that waits; purchased.
-- Cost: one pass over ended subscriptions, joined with their pools and scheduled changes.
-- Parks: yes
select s.organization_id, s.subscription_id, p.pool_id, null::uuid as change_id, p.purchased
  from subscription s
  join seat_pool p on p.organization_id = s.organization_id and p.subscription_id = s.subscription_id
 where s.status = 'ended' and p.purchased <> 0
union all
select s.organization_id, s.subscription_id, null, c.change_id, null
  from subscription s
  join change c on c.organization_id = s.organization_id and c.subscription_id = s.subscription_id
 where s.status = 'ended' and c.state = 'scheduled'
