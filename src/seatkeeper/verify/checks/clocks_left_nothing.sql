-- T-8: On a test clock that rests nothing is left behind that came due before its time.
-- Columns: subject_id what is overdue; noun; due_at; now_at of the clock.
-- Cost: one pass over what is due for organizations on test clocks.
-- Parks: no
with resting as (
    select o.organization_id, c.now_at
      from organization o
      join test_clock c on c.clock_id = o.clock_id and c.state = 'ready'
     where o.parked_at is null
)
select r.organization_id, s.subscription_id as subject_id, 'subscription' as noun, s.due_at, r.now_at
  from resting r
  join subscription s on s.organization_id = r.organization_id and s.due_at < r.now_at
 where not exists (select 1 from change c where c.organization_id = s.organization_id
        and c.subscription_id = s.subscription_id and c.state = 'awaiting_payment')
union all
select r.organization_id, i.invitation_id, 'invitation', i.expires_at, r.now_at
  from resting r
  join invitation i on i.organization_id = r.organization_id and i.state = 'pending' and i.expires_at < r.now_at
union all
select r.organization_id, v.invoice_id, 'invoice', v.next_attempt_at, r.now_at
  from resting r
  join invoice v on v.organization_id = r.organization_id and v.next_attempt_at < r.now_at
