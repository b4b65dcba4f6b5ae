-- M-5: The credit note numbers of an organization run from 1 without a gap, and its counter says how many there are.
-- Columns: number the first that is wrong, null where only the counter is; notes there are; counter.
-- Cost: one sort of the credit notes by organization.
-- Parks: yes
with numbered as (
    select c.organization_id, c.number,
           row_number() over (partition by c.organization_id order by length(c.number), c.number) as serial
      from credit_note c
), wrong as (
    select distinct on (n.organization_id) n.organization_id, n.number
      from numbered n
      join billing_account b on b.organization_id = n.organization_id
     where n.number <> b.invoice_prefix || '-CN-' || lpad(n.serial::text, greatest(6, length(n.serial::text)), '0')
     order by n.organization_id, n.serial
)
select b.organization_id, w.number, coalesce(n.notes, 0) as notes, b.credit_note_count as counter
  from billing_account b
  left join (select organization_id, count(*) as notes from credit_note group by 1) n
    on n.organization_id = b.organization_id
  left join wrong w on w.organization_id = b.organization_id
 where w.organization_id is not null or b.credit_note_count <> coalesce(n.notes, 0)
