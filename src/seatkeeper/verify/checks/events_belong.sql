-- A-1: Every event belongs to an organization that exists, or to the vendor.
-- Columns: event_id; kind; subject_id.
-- Cost: one pass over events, joined with organizations by hash.
-- Parks: no
select e.organization_id, e.event_id, e.kind, e.subject_id
  from event e
  left join organization o on o.organization_id = e.organization_id
 where o.organization_id is null and e.organization_id <> '00000000-0000-0000-0000-000000000000'
