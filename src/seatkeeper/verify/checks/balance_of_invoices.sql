-- M-10: The balance an invoice used or carried over is what its entries say; taken back, it used none.
-- Columns: invoice_id and its state; used_minor, carried_minor by the invoice; entries_minor their sum.
-- Cost: one pass over invoices, carrying lines and entries, joined by hash.
-- Parks: yes
with derived as (
    select i.organization_id, i.invoice_id, i.state,
           case when i.state in ('discarded', 'void') then 0 else i.balance_minor end as used_minor,
           case when i.state = 'discarded' then 0 else coalesce(l.n, 0) end as carried_minor,
           coalesce(e.n, 0) as entries_minor
      from invoice i
      left join (select organization_id, invoice_id, sum(amount_minor) as n
                   from invoice_line where kind = 'carried_to_balance' group by 1, 2) l
        on l.organization_id = i.organization_id and l.invoice_id = i.invoice_id
      left join (select organization_id, invoice_id, sum(amount_minor) as n
                   from balance_entry where invoice_id is not null and credit_note_id is null
                    and payment_id is null group by 1, 2) e
        on e.organization_id = i.organization_id and e.invoice_id = i.invoice_id
)
select organization_id, invoice_id, state, used_minor, carried_minor, entries_minor
  from derived
 where entries_minor <> carried_minor - used_minor
