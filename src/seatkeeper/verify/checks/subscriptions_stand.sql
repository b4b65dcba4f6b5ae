-- T-7: What a subscription's status says is so: it ends, is in arrears, or is in its trial, exactly when it says so.
-- Columns: subscription_id; status; cancel_at, past_due_since, grace_ends_at, ended_at, period_number as stored.
-- Cost: one pass over subscriptions.
-- Parks: no
select organization_id, subscription_id, status, cancel_at, past_due_since, grace_ends_at, ended_at, period_number
  from subscription
 where (status = 'ended') <> (ended_at is not null)
    or (status = 'canceling' and cancel_at is null)
    or (status in ('trialing', 'active') and cancel_at is not null)
    or (status = 'past_due' and (past_due_since is null or grace_ends_at is null))
    or (status in ('trialing', 'active', 'canceling') and (past_due_since is not null or grace_ends_at is not null))
    or (status = 'trialing' and (period_number >= 0 or trial_ends_at is null))
    or (status = 'active' and period_number < 0)
