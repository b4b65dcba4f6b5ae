-- A-1: Every change of what is purchased is told by an event about its cause, at its instant.
-- Columns: entry_id; pool_id; delta; cause, cause_id; effective_at.
-- Cost: one pass over the ledger, joined with events by hash.
-- Parks: no
select l.organization_id, l.entry_id, l.pool_id, l.delta, l.cause, l.cause_id, l.effective_at
  from seat_ledger l
 where not exists (select 1 from event e where e.organization_id = l.organization_id
        and e.subject_id = l.cause_id and e.occurred_at = l.effective_at)
