-- M-6: A payment has the instant of its outcome exactly when it has one, and asks for what its invoice is due.
-- Columns: payment_id and its state; settled_at; amount_minor; due_minor of the invoice.
-- Cost: one pass over payments, joined with their invoices.
-- Parks: yes
select p.organization_id, p.payment_id, p.state, p.settled_at, p.amount_minor, i.due_minor
  from payment p
  join invoice i on i.organization_id = p.organization_id and i.invoice_id = p.invoice_id
 where (p.state in ('succeeded', 'declined', 'canceled')) <> (p.settled_at is not null)
    or p.amount_minor <> i.due_minor
