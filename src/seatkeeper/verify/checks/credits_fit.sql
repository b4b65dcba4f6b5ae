-- M-7: What came back of a period is never more than it billed, less credit notes and without invoices taken back.
-- Columns: subscription_id; period_starts_at, period_ends_at; billed_minor as far as it stands; back_minor what came back.
-- Cost: one pass over lines, grouped by hash.
-- Parks: yes
with noted as (
    select n.organization_id, n.invoice_id, n.noted_minor,
           sum(l.amount_minor) as charged_minor
      from (select organization_id, invoice_id, sum(amount_minor) as noted_minor from credit_note group by 1, 2) n
      join invoice_line l on l.organization_id = n.organization_id and l.invoice_id = n.invoice_id
     where l.amount_minor > 0
     group by 1, 2, 3
), lines as (
    select l.organization_id, i.subscription_id, l.period_starts_at, l.period_ends_at, -least(l.amount_minor, 0) as back_minor,
           -- A credit note takes of each charge of its invoice alike.
           greatest(l.amount_minor, 0) * (1 - coalesce(n.noted_minor / n.charged_minor, 0)) as billed_minor
      from invoice_line l
      join invoice i on i.organization_id = l.organization_id and i.invoice_id = l.invoice_id
      left join noted n on n.organization_id = l.organization_id and n.invoice_id = l.invoice_id
     where i.state in ('open', 'paid') and l.kind <> 'carried_to_balance'
)
select organization_id, subscription_id, period_starts_at, period_ends_at, floor(sum(billed_minor)) as billed_minor,
       sum(back_minor) as back_minor
  from lines
 group by 1, 2, 3, 4
-- A part of a unit is lost where numbers are divided.
having sum(back_minor) > sum(billed_minor) + 0.001
