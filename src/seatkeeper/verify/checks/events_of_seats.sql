-- A-1: Every beginning and every end of a seat is told by an event: its own, or that of the move to the next seat.
-- Columns: assignment_id; member_id; missing which of the two.
-- Cost: one sort of assignments by member, joined with the events of seats by hash.
-- Parks: no
with told as (
    select organization_id, subject_id, bool_or(kind in ('seat.assigned', 'seat.reassigned')) as begun,
           bool_or(kind = 'seat.reassigned') as moved, bool_or(kind = 'seat.unassigned') as ended
      from event where kind in ('seat.assigned', 'seat.reassigned', 'seat.unassigned')
     group by 1, 2
), held as (
    select a.*, lead(assignment_id) over (partition by organization_id, member_id, exclusivity_set
                order by assigned_at, coalesce(ended_at, 'infinity'), assignment_id) as next_id
      from assignment a
)
select h.organization_id, h.assignment_id, h.member_id,
       case when coalesce(t.begun, false) then 'end' else 'beginning' end as missing
  from held h
  left join told t on t.organization_id = h.organization_id and t.subject_id = h.assignment_id
  left join told n on n.organization_id = h.organization_id and n.subject_id = h.next_id
 where not coalesce(t.begun, false)
    or (h.ended_at is not null and not coalesce(t.ended, false) and not coalesce(n.moved, false))
