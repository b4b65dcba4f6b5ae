-- M-6: A paid invoice has the payment it was due, credited ones aside, or was due nothing; an open one is due something.
-- Columns: invoice_id and its state; due_minor; captured_minor.
-- Cost: one pass over invoices and succeeded payments, joined by hash.
-- Parks: yes
select i.organization_id, i.invoice_id, i.state, i.due_minor, coalesce(p.captured_minor, 0) as captured_minor
  from invoice i
  left join (select organization_id, invoice_id, sum(amount_minor) as captured_minor
               from payment where state = 'succeeded' and not credited group by 1, 2) p
    on p.organization_id = i.organization_id and p.invoice_id = i.invoice_id
 where (i.state = 'paid' and coalesce(p.captured_minor, 0) <> i.due_minor)
    or (i.state = 'open' and i.due_minor = 0)
