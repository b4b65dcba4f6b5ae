-- M-6: Credited ones aside, an invoice is paid at most once, never by more than it is due, and only where it is paid.
-- Columns: invoice_id and its state; succeeded payments; captured_minor; due_minor.
-- Cost: one pass over succeeded payments, joined with their invoices.
-- Parks: yes
select i.organization_id, i.invoice_id, i.state, p.succeeded, p.captured_minor, i.due_minor
  from (select organization_id, invoice_id, count(*) as succeeded, sum(amount_minor) as captured_minor
          from payment where state = 'succeeded' and not credited group by 1, 2) p
  join invoice i on i.organization_id = p.organization_id and i.invoice_id = p.invoice_id
 where p.succeeded > 1 or p.captured_minor > i.due_minor or i.state <> 'paid'
