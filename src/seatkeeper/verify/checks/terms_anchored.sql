-- T-3: A term ends as many lengths after the anchor as have begun, and never inside the running period.
-- Columns: subscription_id; period_number; term_ends_at as stored; should_end the local day it should be.
-- Cost: one pass over live subscriptions. Contracts agree on terms of their own.
-- Parks: yes
with months (word, n) as (values ('month', 1), ('quarter', 3), ('year', 12)),
lengths as (
    select v.plan_version_id, p.key as price_key, b.n as billing, t.n as term
      from plan_version v
     cross join jsonb_each(v.document -> 'prices') p
      join months b on b.word = coalesce(p.value ->> 'billing', p.value ->> 'per')
      join months t on t.word = coalesce(p.value ->> 'term', p.value ->> 'billing', p.value ->> 'per')
), derived as (
    select s.organization_id, s.subscription_id, s.period_number, s.period_ends_at, s.term_ends_at, o.time_zone,
           s.contract_id, (s.anchor_on + make_interval(months => coalesce(l.term, 1)
                * (s.period_number / (coalesce(l.term, 1) / coalesce(l.billing, 1)) + 1)))::date as should_end
      from subscription s
      join organization o on o.organization_id = s.organization_id
      left join lengths l on l.plan_version_id = s.plan_version_id and l.price_key = s.price_key
     where s.status not in ('scheduled', 'incomplete', 'ended') and s.period_number >= 0
)
select organization_id, subscription_id, period_number, term_ends_at, should_end
  from derived
 where term_ends_at < period_ends_at
    or (contract_id is null and ((term_ends_at at time zone time_zone)::date <> should_end
        or ((term_ends_at - interval '1 microsecond') at time zone time_zone)::date >= should_end))
