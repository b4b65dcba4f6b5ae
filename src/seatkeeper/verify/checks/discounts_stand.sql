-- C54: A subscription has at most one discount in force, which lives and is paid by its organization; the discount counts
-- the periods it was off, no more than were granted; and nothing else is off what is bought in the running period.
-- Columns: subscription_id; discount_id, null where only the running period is wrong; used, periods as stored; begun the
-- periods that name it; off_now the percentage off what is bought now.
-- Cost: one pass over periods and one over subscriptions, joined with discounts by hash.
-- Parks: yes
select d.organization_id, d.subscription_id, d.discount_id, d.used, d.periods, coalesce(p.n, 0) as begun,
       s.discount_basis_points as off_now
  from discount d
  join subscription s on s.organization_id = d.organization_id and s.subscription_id = d.subscription_id
  left join (select organization_id, discount_id, count(*) as n from period where discount_id is not null group by 1, 2) p
    on p.organization_id = d.organization_id and p.discount_id = d.discount_id
 where s.payer_member_id is not null
    or d.used > d.periods
    -- A period in which another plan came is billed anew, or gone; it was counted all the same.
    or d.used < coalesce(p.n, 0) or (d.ended_at is null and d.used <> coalesce(p.n, 0))
    or (d.ended_at is null and (s.status = 'ended' or exists (
            select 1 from discount o where o.organization_id = d.organization_id
               and o.subscription_id = d.subscription_id and o.ended_at is null and o.discount_id <> d.discount_id)))
union all
select s.organization_id, s.subscription_id, null, null, null, null, s.discount_basis_points
  from subscription s
  left join period p on p.organization_id = s.organization_id and p.subscription_id = s.subscription_id
       and p.starts_at = s.period_starts_at
  left join discount d on d.organization_id = p.organization_id and d.discount_id = p.discount_id
 where s.discount_basis_points > 0 and s.status <> 'ended' and s.discount_basis_points is distinct from d.basis_points
