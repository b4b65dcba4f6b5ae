-- M-11: No period of a subscription is billed twice for the same thing from the same day on.
-- Columns: subscription_id; period_starts_at; price_key, seat_type (null: the base); effective_at; billed, credited lines.
-- Cost: one pass over period lines, grouped by hash.
-- Parks: yes
select l.organization_id, i.subscription_id, l.period_starts_at, l.plan_key, l.price_key, l.seat_type, l.effective_at,
       count(*) filter (where l.kind <> 'credit') as billed, count(*) filter (where l.kind = 'credit') as credited
  from invoice_line l
  join invoice i on i.organization_id = l.organization_id and i.invoice_id = l.invoice_id
 where l.kind in ('base', 'seats', 'credit') and i.state in ('open', 'paid', 'void') and not exists (
        select 1 from change c where c.organization_id = i.organization_id and c.invoice_id = i.invoice_id
           and c.state in ('awaiting_payment', 'failed', 'canceled'))
 group by l.organization_id, i.subscription_id, l.period_starts_at, l.plan_key, l.price_key, l.seat_type, l.effective_at
having count(*) filter (where l.kind <> 'credit') > 1 + count(*) filter (where l.kind = 'credit')
