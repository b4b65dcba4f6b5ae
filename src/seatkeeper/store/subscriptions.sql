-- current: The organization's own subscription that is neither ended nor still to come.
select subscription_id, payer_member_id, plan_version_id, price_key, overrides, status, anchor_on, period_number,
       period_starts_at, period_ends_at, term_ends_at, trial_ends_at, cancel_at, past_due_since, grace_ends_at,
       ended_at, due_at, contract_id, discount_basis_points, started_at, version
  from subscription
 where organization_id = :organization_id and payer_member_id is null and status not in ('ended', 'scheduled')

-- lock_current: The same, locked for a change.
select subscription_id, payer_member_id, plan_version_id, price_key, overrides, status, anchor_on, period_number,
       period_starts_at, period_ends_at, term_ends_at, trial_ends_at, cancel_at, past_due_since, grace_ends_at,
       ended_at, due_at, contract_id, discount_basis_points, started_at, version
  from subscription
 where organization_id = :organization_id and payer_member_id is null and status not in ('ended', 'scheduled')
   for no key update

-- lock_of_member: The live subscription which one member pays, locked for a change.
select subscription_id, payer_member_id, plan_version_id, price_key, overrides, status, anchor_on, period_number,
       period_starts_at, period_ends_at, term_ends_at, trial_ends_at, cancel_at, past_due_since, grace_ends_at,
       ended_at, due_at, contract_id, discount_basis_points, started_at, version
  from subscription
 where organization_id = :organization_id and payer_member_id = :member_id and status <> 'ended'
   for no key update

-- any_member_plan: The plan on which members of this workspace pay for themselves, or paid the last.
select s.plan_version_id
  from subscription s
 where s.organization_id = :organization_id and s.payer_member_id is not null
   and (s.status <> 'ended' or not exists (select 1 from change c where c.organization_id = s.organization_id
        and c.subscription_id = s.subscription_id and c.kind = 'subscribe' and c.state = 'failed'))
 order by s.status = 'ended', s.started_at desc, s.subscription_id desc
 limit 1
