-- T-1: The period in which a live subscription says it is was begun, once, and is its latest.
-- Columns: subscription_id; period_number, period_starts_at of the subscription; begun rows; latest that was begun.
-- Cost: one pass over subscriptions and periods, joined by hash.
-- Parks: yes
select s.organization_id, s.subscription_id, s.period_number, s.period_starts_at, coalesce(p.begun, 0) as begun, p.latest
  from subscription s
  left join (select p.organization_id, p.subscription_id, max(p.starts_at) as latest,
                    -- What was carried over from elsewhere began there, and goes on here from its arrival.
                    count(*) filter (where p.ends_at = c.period_ends_at and p.number = c.period_number
                        and (p.starts_at = c.period_starts_at or p.kind = 'carried')) as begun
               from period p
               join subscription c on c.organization_id = p.organization_id and c.subscription_id = p.subscription_id
              group by 1, 2) p
    on p.organization_id = s.organization_id and p.subscription_id = s.subscription_id
 where s.status not in ('scheduled', 'incomplete', 'ended')
   and (coalesce(p.begun, 0) <> 1 or p.latest < s.period_starts_at or p.latest >= s.period_ends_at)
