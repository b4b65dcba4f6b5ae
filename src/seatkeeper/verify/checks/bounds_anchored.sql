-- T-3: Every period is counted from the anchor: its bounds are the first instants of anchor + n lengths.
-- Columns: subscription_id; number; starts_at, ends_at as stored; should_start, should_end the local days they should be.
-- Cost: one sort of the periods by subscription; bounds are compared as local days, so that no zone database has a say
-- in which instant a day begins with, only in which day an instant is.
-- Parks: yes
with months (word, n) as (values ('month', 1), ('quarter', 3), ('year', 12)),
lengths as (
    select v.plan_version_id, p.key as price_key, m.n as months
      from plan_version v
     cross join jsonb_each(v.document -> 'prices') p
      join months m on m.word = coalesce(p.value ->> 'billing', p.value ->> 'per')
), counted as (
    select p.organization_id, p.subscription_id, p.starts_at, p.ends_at, p.number, p.kind, s.anchor_on, o.time_zone,
           -- A plan without prices is free by the month.
           coalesce(l.months, 1) as months,
           s.period_number - row_number() over (
                partition by p.organization_id, p.subscription_id order by p.starts_at desc) + 1 as from_latest,
           row_number() over (partition by p.organization_id, p.subscription_id order by p.starts_at desc) = 1
               and s.status <> 'ended' as is_latest
      from period p
      join subscription s on s.organization_id = p.organization_id and s.subscription_id = p.subscription_id
      join organization o on o.organization_id = p.organization_id
      left join lengths l on l.plan_version_id = s.plan_version_id and l.price_key = s.price_key
     where s.status not in ('scheduled', 'incomplete')
), derived as (
    -- Numbers that run back from the latest without a break have its anchor and its length.
    select *, (anchor_on + make_interval(months => number * months))::date as should_start,
           (anchor_on + make_interval(months => (number + 1) * months))::date as should_end
      from counted
     where number = from_latest and number >= 0
)
select organization_id, subscription_id, number, starts_at, ends_at, should_start, should_end
  from derived
 where (kind <> 'carried' and ((starts_at at time zone time_zone)::date <> should_start
        or ((starts_at - interval '1 microsecond') at time zone time_zone)::date >= should_start))
    or (is_latest and ((ends_at at time zone time_zone)::date <> should_end
        or ((ends_at - interval '1 microsecond') at time zone time_zone)::date >= should_end))
