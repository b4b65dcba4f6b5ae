-- M-6: Every invoice of a change belongs to exactly one change, and every change's invoice is there.
-- Columns: subject_id the invoice, or the change whose invoice is missing; cause; changes that name the invoice.
-- Cost: one pass over invoices and changes, joined by hash.
-- Parks: yes
select i.organization_id, i.invoice_id as subject_id, i.cause, count(c.change_id) as changes
  from invoice i
  left join change c on c.organization_id = i.organization_id and c.invoice_id = i.invoice_id
 group by i.organization_id, i.invoice_id, i.cause
having count(c.change_id) > 1 or (i.cause = 'change') <> (count(c.change_id) = 1)
union all
select c.organization_id, c.change_id, 'change', 0
  from change c
  left join invoice i on i.organization_id = c.organization_id and i.invoice_id = c.invoice_id
       and i.subscription_id = c.subscription_id
 where c.invoice_id is not null and i.invoice_id is null
