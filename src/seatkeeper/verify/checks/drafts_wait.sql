-- M-18: A draft invoice waits for the payment of one change; no draft is forgotten.
-- Columns: invoice_id the draft; cause, cause_id of it.
-- Cost: one pass over drafts, joined with changes.
-- Parks: no
select i.organization_id, i.invoice_id, i.cause, i.cause_id
  from invoice i
 where i.state = 'draft' and not exists (
        select 1 from change c where c.organization_id = i.organization_id and c.invoice_id = i.invoice_id
           and c.state = 'awaiting_payment')
