-- M-13: All money of an organization is in its one currency.
-- Columns: subject_id; noun what it is; currency it has; own the organization's.
-- Cost: one pass over invoices, payments, credit notes and balance entries, joined by hash.
-- Parks: yes
select o.organization_id, m.subject_id, m.noun, m.currency, o.currency as own
  from (select organization_id, invoice_id as subject_id, 'invoice' as noun, currency from invoice
        union all select organization_id, payment_id, 'payment', currency from payment
        union all select organization_id, credit_note_id, 'credit note', currency from credit_note
        union all select organization_id, entry_id, 'balance entry', currency from balance_entry) m
  join organization o on o.organization_id = m.organization_id
 where m.currency <> o.currency
