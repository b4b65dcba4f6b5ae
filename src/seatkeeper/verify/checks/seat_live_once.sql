-- S-4: A member holds at most one live seat in an exclusivity set.
-- Columns: member_id the member; exclusivity_set; seats live at once.
-- Cost: one pass over live assignments, grouped by hash.
-- Parks: no
select organization_id, member_id, exclusivity_set, count(*) as seats
  from assignment
 where ended_at is null
 group by organization_id, member_id, exclusivity_set
having count(*) > 1
