-- M-8: Where all seats of a line cost the same, its full amount is that price times the seats it bills.
-- Columns: invoice_id; line_number; kind; unit_minor, full_minor, quantity, quantity_before of the line.
-- Cost: one pass over lines.
-- Parks: yes
select organization_id, invoice_id, line_number, kind, unit_minor, full_minor, quantity, quantity_before
  from invoice_line
 where case
    when kind = 'carried_to_balance' then full_minor <> amount_minor
    when unit_minor is null then false
    when kind in ('base', 'seats') then full_minor <> unit_minor * quantity
    when kind = 'credit' then full_minor <> -unit_minor * quantity_before
    -- Inside a period an increase bills only above the level that is already paid.
    else full_minor not between least(0, unit_minor * (quantity - quantity_before))
                            and greatest(0, unit_minor * (quantity - quantity_before))
      or (unit_minor > 0 and full_minor % unit_minor <> 0)
    end
