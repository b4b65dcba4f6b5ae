-- S-6: A member is removed exactly when there is an instant of it.
-- Columns: member_id the member; standing; removed_at.
-- Cost: one pass over members.
-- Parks: no
select organization_id, member_id, standing, removed_at
  from member
 where (standing = 'removed') <> (removed_at is not null)
