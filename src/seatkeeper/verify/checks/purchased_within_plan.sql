-- S-7: A live subscription owns at least the seats its plan requires and at most those it allows.
-- Columns: subscription_id; purchased over all its pools; minimum, most of its plan.
-- Cost: one pass over live subscriptions and their pools, joined by hash.
-- Parks: no
with limits as (
    select plan_version_id, document ->> 'capacity' as capacity,
           case when document ->> 'capacity' = 'purchased' then coalesce((document ->> 'minimum')::integer, 1)
                else 0 end as minimum,
           case when document ->> 'capacity' = 'unlimited' then 1000000
                else coalesce((document ->> 'limit')::integer, 1000000) end as most
      from plan_version
), owned as (
    select s.organization_id, s.subscription_id, l.minimum, sum(p.purchased)::integer as purchased,
           -- The organization's own membership limit takes the place of the catalog's; 0 is none.
           case when l.capacity = 'membership_limit' and o.membership_limit is not null
                then coalesce(nullif(o.membership_limit, 0), 1000000) else l.most end as most
      from subscription s
      join limits l on l.plan_version_id = s.plan_version_id
      join organization o on o.organization_id = s.organization_id
      join seat_pool p on p.organization_id = s.organization_id and p.subscription_id = s.subscription_id
     where s.status not in ('ended', 'scheduled', 'incomplete')
     group by s.organization_id, s.subscription_id, l.minimum, l.most, l.capacity, o.membership_limit
)
select organization_id, subscription_id, purchased, minimum, most
  from owned
 where purchased not between minimum and most
