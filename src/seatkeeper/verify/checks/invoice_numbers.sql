-- M-5: The invoice numbers of an organization run from 1 without a gap, and its counter says how many there are.
-- Columns: number the first that is wrong, null where only the counter is; invoices there are; counter.
-- Cost: one sort of the numbered invoices by organization.
-- Parks: yes
with numbered as (
    select i.organization_id, i.number,
           row_number() over (partition by i.organization_id order by length(i.number), i.number) as serial,
           count(*) over (partition by i.organization_id) as invoices
      from invoice i where i.number is not null
), wrong as (
    select distinct on (n.organization_id) n.organization_id, n.number
      from numbered n
      join billing_account b on b.organization_id = n.organization_id
     where n.number <> b.invoice_prefix || '-' || lpad(n.serial::text, greatest(6, length(n.serial::text)), '0')
     order by n.organization_id, n.serial
)
select b.organization_id, w.number, coalesce(n.invoices, 0) as invoices, b.invoice_count as counter
  from billing_account b
  left join (select organization_id, count(*) as invoices from invoice where number is not null group by 1) n
    on n.organization_id = b.organization_id
  left join wrong w on w.organization_id = b.organization_id
 where w.organization_id is not null or b.invoice_count <> coalesce(n.invoices, 0)
