-- T-9: What is scheduled waits for an end that is still to come, and only in the slot it was given.
-- Columns: change_id; slot; effective_at; period_starts_at of its subscription.
-- Cost: one pass over scheduled changes, joined with their subscriptions.
-- Parks: no
select c.organization_id, c.change_id, c.slot, c.effective_at, s.period_starts_at
  from change c
  join subscription s on s.organization_id = c.organization_id and s.subscription_id = c.subscription_id
 where c.state = 'scheduled' and (c.slot is null or c.effective_at <= s.period_starts_at)
