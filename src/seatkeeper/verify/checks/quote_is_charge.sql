-- A22: A change that accepted a quote was invoiced for exactly what was quoted.
-- Columns: change_id; quoted_minor; invoiced_minor.
-- Cost: one pass over changes with quotes, joined with quotes and invoices.
-- Parks: yes
select c.organization_id, c.change_id, q.due_now_minor as quoted_minor, coalesce(i.subtotal_minor, 0) as invoiced_minor
  from change c
  join quote q on q.organization_id = c.organization_id and q.quote_id = c.quote_id
  left join invoice i on i.organization_id = c.organization_id and i.invoice_id = c.invoice_id
 where c.state in ('applied', 'awaiting_payment') and c.slot is null
   and q.due_now_minor <> coalesce(i.subtotal_minor, 0)
