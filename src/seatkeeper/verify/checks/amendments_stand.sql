-- T34: An amendment has an offer once it is quoted, someone who decided once it is, an end once it is over.
-- Columns: amendment_id and its state; change_id; change its state.
-- Cost: one pass over amendments, joined with their changes.
-- Parks: no
select a.organization_id, a.amendment_id, a.state, a.change_id, c.state as change
  from amendment a
  left join change c on c.organization_id = a.organization_id and c.change_id = a.change_id
 where (a.state in ('quoted', 'accepted', 'scheduled', 'applied') and a.offer is null)
    or (a.state in ('accepted', 'scheduled', 'applied') and a.decided_by is null)
    or (a.state in ('applied', 'declined', 'expired')) <> (a.closed_at is not null)
    or (a.state = 'applied' and c.state is distinct from 'applied' and a.change_id is not null)
    or (a.state = 'scheduled' and c.state is distinct from 'scheduled' and a.change_id is not null)
