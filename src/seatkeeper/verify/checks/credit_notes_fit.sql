-- M-10: What is credited of an invoice is never more than the invoice, and only of one that went out.
-- Columns: invoice_id and its state; total_minor; credited_minor.
-- Cost: one pass over credit notes, joined with their invoices.
-- Parks: yes
select i.organization_id, i.invoice_id, i.state, i.subtotal_minor + i.tax_minor as total_minor, c.credited_minor
  from (select organization_id, invoice_id, sum(amount_minor) as credited_minor from credit_note group by 1, 2) c
  join invoice i on i.organization_id = c.organization_id and i.invoice_id = c.invoice_id
 where c.credited_minor > i.subtotal_minor + i.tax_minor or i.state in ('draft', 'discarded')
