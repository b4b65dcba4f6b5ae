-- A-1: Every invitation that was made or closed, and every member who was removed, is told of by an event.
-- Columns: subject_id the invitation or member; noun; state.
-- Cost: one pass over invitations and removed members, joined with their events by hash.
-- Parks: no
with told as (
    select distinct organization_id, subject_id, kind
      from event where kind in ('invitation.created', 'invitation.accepted', 'invitation.revoked',
          'invitation.expired', 'member.removed')
), due as (
    select organization_id, invitation_id as subject_id, 'invitation' as noun, 'created' as state from invitation
    union all
    select organization_id, invitation_id, 'invitation', state from invitation where state <> 'pending'
    union all
    -- Who is to pay before they come in has joined and left at one instant.
    select organization_id, member_id, 'member', standing from member
     where standing = 'removed' and removed_at > joined_at
)
select d.organization_id, d.subject_id, d.noun, d.state
  from due d
 where not exists (select 1 from told t where t.organization_id = d.organization_id
        and t.subject_id = d.subject_id and t.kind = d.noun || '.' || d.state)
