-- M-4: An issued invoice has an instant of it, a closed one has its end, and only an open one is still tried.
-- Columns: invoice_id and its state; issued_at; closed_at; next_attempt_at.
-- Cost: one pass over invoices.
-- Parks: no
select organization_id, invoice_id, state, issued_at, closed_at, next_attempt_at
  from invoice
 where (state in ('draft', 'discarded')) <> (issued_at is null)
    or (state in ('draft', 'open')) <> (closed_at is null)
    or (state <> 'open' and next_attempt_at is not null)
