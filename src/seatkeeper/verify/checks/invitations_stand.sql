-- S-10: An invitation is closed exactly when it is not pending, and accepted exactly when it made someone a member.
-- Columns: invitation_id and its state; closed_at; member_id.
-- Cost: one pass over invitations.
-- Parks: no
select organization_id, invitation_id, state, closed_at, member_id
  from invitation
 where (state = 'pending') <> (closed_at is null) or (state = 'accepted') <> (member_id is not null)
