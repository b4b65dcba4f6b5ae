-- A99: An open invoice has a day, and where its last try has failed the subscription whose period it bills is in arrears.
-- Columns: invoice_id; due_at; attempts; status of its subscription.
-- Cost: one pass over open invoices, joined with their subscriptions and lines.
-- Parks: no
select i.organization_id, i.invoice_id, i.due_at, i.attempts, s.status
  from invoice i
  join subscription s on s.organization_id = i.organization_id and s.subscription_id = i.subscription_id
 where i.state = 'open' and (i.due_at is null
        or (i.attempts > 0 and i.next_attempt_at is null and s.status in ('active', 'trialing', 'canceling')
            and exists (select 1 from invoice_line l where l.organization_id = i.organization_id
                and l.invoice_id = i.invoice_id and l.period_starts_at = s.period_starts_at)))
