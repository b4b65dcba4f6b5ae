-- S-10: A hold ends as its invitation does: once accepted, or once revoked, and never both.
-- Columns: invitation_id and its state; accepted, revoked holds of it.
-- Cost: one pass over closed holds, grouped by invitation.
-- Parks: no
select i.organization_id, i.invitation_id, i.state, h.accepted, h.revoked
  from (select organization_id, invitation_id, count(*) filter (where outcome = 'accepted') as accepted,
               count(*) filter (where outcome = 'revoked') as revoked
          from hold where outcome in ('accepted', 'revoked') group by 1, 2) h
  join invitation i on i.organization_id = h.organization_id and i.invitation_id = h.invitation_id
 where h.accepted > 1 or h.revoked > 1 or (h.accepted > 0 and i.state <> 'accepted')
    or (h.revoked > 0 and i.state <> 'revoked')
