-- A-1: Every invoice is told of when it is opened, paid or voided.
-- Columns: invoice_id and its state; number.
-- Cost: one pass over numbered invoices, joined with their events by hash.
-- Parks: no
select i.organization_id, i.invoice_id, i.state, i.number
  from invoice i
  left join (select organization_id, subject_id, bool_or(kind in ('invoice.opened', 'invoice.paid')) as issued,
                    bool_or(kind = 'invoice.paid') as paid, bool_or(kind = 'invoice.voided') as voided
               from event where kind in ('invoice.opened', 'invoice.paid', 'invoice.voided') group by 1, 2) e
    on e.organization_id = i.organization_id and e.subject_id = i.invoice_id
 where i.number is not null
   and (not coalesce(e.issued, false) or (i.state = 'paid' and not e.paid) or (i.state = 'void' and not e.voided))
