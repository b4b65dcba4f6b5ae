-- S-7: New seats are blocked above a smaller plan to come and above the seats of a change being paid, only there.
-- Columns: pool_id the pool; ceiling as stored; coming the least of those bounds, a million without one.
-- Cost: one pass over shared pools with the few changes of their subscriptions that are scheduled or wait.
-- Parks: no
select p.organization_id, p.pool_id, p.seat_type, p.ceiling, coalesce(c.coming, 1000000) as coming
  from seat_pool p
  join subscription s on s.organization_id = p.organization_id and s.subscription_id = p.subscription_id
  left join lateral (
        select min(case w.state when 'scheduled' then (w.effect ->> 'limit')::integer
                   else (w.effect -> 'ceilings' ->> p.seat_type)::integer end) as coming
          from change w
         where w.organization_id = p.organization_id and w.subscription_id = p.subscription_id
           and w.state in ('scheduled', 'awaiting_payment')) c on true
 where p.payer_member_id is null and s.status not in ('ended', 'scheduled')
   and p.ceiling <> coalesce(c.coming, 1000000)
