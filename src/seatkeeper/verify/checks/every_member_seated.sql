-- C58: On a plan where members sit by being members, each active member has a seat or waits for one.
-- Columns: member_id the member; subscription_id the organization's own.
-- Cost: one pass over members, live assignments and waiting requests, joined by hash.
-- Parks: no
select m.organization_id, m.member_id, s.subscription_id
  from subscription s
  join plan_version v on v.plan_version_id = s.plan_version_id
  join member m on m.organization_id = s.organization_id and m.standing = 'active'
 where s.payer_member_id is null and s.status not in ('ended', 'scheduled', 'incomplete')
   and v.document #>> '{policies,seat_use}' = 'every_member'
   and not exists (select 1 from assignment a where a.organization_id = m.organization_id
        and a.member_id = m.member_id and a.ended_at is null)
   and not exists (select 1 from seat_request r where r.organization_id = m.organization_id
        and r.member_id = m.member_id and r.state = 'waiting')
