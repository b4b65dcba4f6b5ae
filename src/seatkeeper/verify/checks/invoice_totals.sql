-- M-2: An invoice is the sum of its lines, and what is due is that with tax, less the balance used.
-- Columns: invoice_id; subtotal_minor, due_minor as stored; lines_minor the sum of its lines.
-- Cost: one pass over invoices and lines, joined by hash.
-- Parks: yes
select i.organization_id, i.invoice_id, i.subtotal_minor, i.due_minor, coalesce(l.n, 0) as lines_minor
  from invoice i
  left join (select organization_id, invoice_id, sum(amount_minor) as n from invoice_line group by 1, 2) l
    on l.organization_id = i.organization_id and l.invoice_id = i.invoice_id
 where i.subtotal_minor <> coalesce(l.n, 0)
    or i.due_minor <> coalesce(l.n, 0) + i.tax_minor - i.balance_minor
