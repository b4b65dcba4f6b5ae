-- M-4: A numbered invoice is as it was when its content hash was kept.
-- Columns: invoice_id; number; is_sealed whether there is a hash at all.
-- Cost: one look-up of the lines of each invoice by their key, one hash for each invoice.
-- Parks: yes
select i.organization_id, i.invoice_id, i.number, i.content_hash is not null as is_sealed
  from invoice i
  join invoice_seal s on s.organization_id = i.organization_id and s.invoice_id = i.invoice_id
 where (i.number is not null or i.content_hash is not null) and i.content_hash is distinct from s.content_hash
