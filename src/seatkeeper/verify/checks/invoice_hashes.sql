-- M-4: A numbered invoice is as it was when its content hash was kept.
-- Columns: invoice_id; number; is_sealed whether there is a hash at all.
-- Cost: one sort of the lines by invoice, one hash for each invoice.
-- Parks: yes
select i.organization_id, i.invoice_id, i.number, i.content_hash is not null as is_sealed
  from invoice i
  left join (
        select l.organization_id, l.invoice_id,
               string_agg(concat_ws('|', l.line_number, l.kind, l.seat_type, l.plan_key, l.plan_version, l.price_key,
                   l.quantity, l.quantity_before, l.unit_minor, l.part, l.whole, l.basis, l.full_minor,
                   l.amount_minor, l.discount_basis_points, l.discount_fixed_minor), ';' order by l.line_number) as content
          from invoice_line l group by 1, 2) l
    on l.organization_id = i.organization_id and l.invoice_id = i.invoice_id
 where i.number is not null
   and i.content_hash is distinct from sha256(convert_to(concat_ws('|', i.number, i.currency, i.subtotal_minor,
       i.tax_minor, i.balance_minor, i.due_minor, l.content), 'UTF8'))
