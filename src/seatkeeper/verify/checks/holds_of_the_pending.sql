-- S-10: A live hold belongs to a pending invitation, and none has two.
-- Columns: hold_id the hold; invitation_id and its state; holds live for it.
-- Cost: one pass over live holds, joined with their invitations.
-- Parks: no
select organization_id, hold_id, invitation_id, state, holds
  from (select h.organization_id, h.hold_id, h.invitation_id, i.state,
               count(*) over (partition by h.organization_id, h.invitation_id) as holds
          from hold h
          join invitation i on i.organization_id = h.organization_id and i.invitation_id = h.invitation_id
         where h.released_at is null) live
 where state <> 'pending' or holds > 1
