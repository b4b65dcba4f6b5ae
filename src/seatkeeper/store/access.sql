-- people: All that decides about access of each asked person, in the order asked; nulls for who is not there.
select m.member_id, m.standing, m.role, m.may_bill, s.seat_type, b.plan_version_id, b.status, b.cancel_at,
       b.grace_ends_at, r.queued_at, o.member_id as owner_id, o.name as owner_name
  from unnest((select :organization_ids::uuid[]), (select :member_ids::uuid[]), (select :external_ids::text[]))
       with ordinality as a (organization_id, member_id, external_id, item)
  left join lateral (
        select n.member_id, n.standing, n.role, n.may_bill from member n
         where n.organization_id = a.organization_id and n.member_id = a.member_id
        union all
        select n.member_id, n.standing, n.role, n.may_bill
          from (select u.user_id from user_account u where u.external_id = a.external_id limit 1) u
         cross join lateral (
                select n.member_id, n.standing, n.role, n.may_bill from member n
                 where n.organization_id = a.organization_id and n.user_id = u.user_id limit 1) n
         limit 1) m on true
  left join lateral (
        select p.seat_type, p.subscription_id
          from (select t.pool_id from assignment t
                 where t.organization_id = a.organization_id and t.member_id = m.member_id
                   and t.exclusivity_set = 'seat' and t.ended_at is null limit 1) t
         cross join lateral (
                select p.seat_type, p.subscription_id from seat_pool p
                 where p.organization_id = a.organization_id and p.pool_id = t.pool_id limit 1) p) s on true
  left join lateral (
        select c.plan_version_id, c.status, c.cancel_at, c.grace_ends_at from subscription c
         where c.organization_id = a.organization_id and c.subscription_id = s.subscription_id
        union all
        select c.plan_version_id, c.status, c.cancel_at, c.grace_ends_at from subscription c
         where s.subscription_id is null and c.organization_id = a.organization_id
           and c.payer_member_id is null and c.status not in ('ended', 'scheduled')
        union all
        select c.plan_version_id, c.status, c.cancel_at, c.grace_ends_at from subscription c
         where s.subscription_id is null and c.organization_id = a.organization_id
           and c.payer_member_id = m.member_id and c.status <> 'ended'
         limit 1) b on true
  left join lateral (
        select q.queued_at from seat_request q
         where s.seat_type is null and q.organization_id = a.organization_id and q.member_id = m.member_id
           and q.state = 'waiting' limit 1) r on true
  left join lateral (
        select w.member_id, w.name from member w
         where m.member_id is not null and w.organization_id = a.organization_id
           and w.role = 'primary_owner' and w.standing <> 'removed' limit 1) o on true
 order by a.item
