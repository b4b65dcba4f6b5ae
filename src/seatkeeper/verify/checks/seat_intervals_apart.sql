-- S-4: The times in which a member held seats of one exclusivity set never overlap.
-- Columns: assignment_id one that begins before the member's earlier ones have ended; earlier_until their end.
-- Cost: one sort of all assignments by member and time.
-- Parks: no
select organization_id, assignment_id, member_id, assigned_at, earlier_until
  from (select a.*, max(coalesce(ended_at, 'infinity')) over (
                partition by organization_id, member_id, exclusivity_set
                order by assigned_at, coalesce(ended_at, 'infinity'), assignment_id
                rows between unbounded preceding and 1 preceding) as earlier_until
          from assignment a
         where assigned_at < coalesce(ended_at, 'infinity')) held
 where earlier_until > assigned_at
