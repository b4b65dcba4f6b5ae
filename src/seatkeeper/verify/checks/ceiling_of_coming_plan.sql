-- S-7: New seats are blocked above the limit of a smaller plan that is to come, and only above that.
-- Columns: pool_id the pool; ceiling as stored; coming the limit of the scheduled plan, a million without one.
-- Cost: one pass over shared pools and scheduled changes, joined by hash.
-- Parks: no
select p.organization_id, p.pool_id, p.seat_type, p.ceiling, coalesce(c.coming, 1000000) as coming
  from seat_pool p
  join subscription s on s.organization_id = p.organization_id and s.subscription_id = p.subscription_id
  left join (select organization_id, subscription_id, min((effect ->> 'limit')::integer) as coming
               from change where state = 'scheduled' group by 1, 2) c
    on c.organization_id = p.organization_id and c.subscription_id = p.subscription_id
 where p.payer_member_id is null and s.status not in ('ended', 'scheduled')
   and p.ceiling <> coalesce(c.coming, 1000000)
