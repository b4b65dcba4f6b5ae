-- S-10: Where the plan reserves, a pending invitation holds a seat, unless a renewal has taken just that.
-- Columns: invitation_id; subscription_id whose plan reserves, now and when the invitation was sent.
-- Cost: one pass over pending invitations and one sort of holds, joined by hash with periods.
-- Parks: no
with reserving as (
    select plan_version_id from plan_version
     where coalesce((document #>> '{policies,invitations,hold_seat}')::boolean, true)
       and coalesce(document #>> '{policies,payer}', 'organization') = 'organization'
), latest as (
    select distinct on (organization_id, invitation_id) organization_id, invitation_id, outcome
      from hold
     order by organization_id, invitation_id, released_at is null desc, hold_id desc
)
select i.organization_id, i.invitation_id, s.subscription_id
  from invitation i
  join subscription s on s.organization_id = i.organization_id and s.payer_member_id is null
       and s.status not in ('ended', 'scheduled', 'incomplete') and s.started_at <= i.sent_at
  join period p on p.organization_id = s.organization_id and p.subscription_id = s.subscription_id
       and p.starts_at <= i.sent_at and p.ends_at > i.sent_at
  left join latest h on h.organization_id = i.organization_id and h.invitation_id = i.invitation_id
 where i.state = 'pending'
   and s.plan_version_id in (select plan_version_id from reserving)
   and p.plan_version_id in (select plan_version_id from reserving)
   and (h.invitation_id is null or h.outcome in ('accepted', 'revoked', 'expired'))
