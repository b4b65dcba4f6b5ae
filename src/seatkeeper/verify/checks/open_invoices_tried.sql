-- A99: An open invoice has a day, and where its last try has failed its subscription, if it has a price, is in arrears.
-- Columns: invoice_id; due_at; attempts; status of its subscription.
-- Cost: one pass over open invoices, joined with their subscriptions and the lines of the running periods.
-- Parks: no
select i.organization_id, i.invoice_id, i.due_at, i.attempts, s.status
  from invoice i
  join subscription s on s.organization_id = i.organization_id and s.subscription_id = i.subscription_id
 where i.state = 'open' and (i.due_at is null
        or (i.attempts > 0 and i.next_attempt_at is null and s.status in ('active', 'trialing', 'canceling')
            and exists (select 1 from invoice b
                  join invoice_line l on l.organization_id = b.organization_id and l.invoice_id = b.invoice_id
                 where b.organization_id = s.organization_id and b.subscription_id = s.subscription_id
                   and b.state not in ('discarded', 'void') and l.period_starts_at = s.period_starts_at
                   and l.full_minor > 0)))
