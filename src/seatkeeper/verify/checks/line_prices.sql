-- M-14: A line for a whole quantity has the price which the plan version it names gives that quantity. What comes back
-- is part of what was billed, whatever the price says by now: see credits_fit.
-- Columns: invoice_id; line_number; quantity; full_minor as stored; listed by the plan version.
-- Cost: one pass over lines; each distinct price and quantity is looked up once. Contracts have prices of their own.
-- Parks: yes
with months (word, n) as (values ('month', 1), ('quarter', 3), ('year', 12)),
prices as (
    select v.plan_key, v.version as plan_version, p.key as price_key, b.n as billing, m.n as per, p.value as price
      from plan_version v
     cross join jsonb_each(v.document -> 'prices') p
      join months m on m.word = p.value ->> 'per'
      join months b on b.word = coalesce(p.value ->> 'billing', p.value ->> 'per')
), tiers as (
    select p.plan_key, p.plan_version, p.price_key, s.key as seat_type, s.value ->> 'mode' as mode,
           coalesce((t.value ->> 'unit_minor')::bigint, 0) as unit, coalesce((t.value ->> 'flat_minor')::bigint, 0) as flat,
           coalesce(lag((t.value ->> 'up_to')::bigint) over (
                partition by p.plan_key, p.plan_version, p.price_key, s.key order by t.place), 0) as above,
           coalesce((t.value ->> 'up_to')::bigint, 1000000) as up_to
      from prices p
     cross join jsonb_each(p.price -> 'seats') s
     cross join jsonb_array_elements(s.value -> 'tiers') with ordinality t (value, place)
), lines as (
    select l.organization_id, l.invoice_id, l.line_number, l.kind, l.plan_key, l.plan_version, l.price_key, l.seat_type,
           abs(l.full_minor) as full_minor, greatest(l.quantity, l.quantity_before) as quantity,
           i.subscription_id, l.period_starts_at
      from invoice_line l
      join invoice i on i.organization_id = l.organization_id and i.invoice_id = l.invoice_id
     where l.kind in ('base', 'seats') and not exists (
            select 1 from contract c where c.organization_id = i.organization_id and c.subscription_id = i.subscription_id)
), asked as (
    select distinct plan_key, plan_version, price_key, seat_type, quantity from lines
), listed as (
    select a.plan_key, a.plan_version, a.price_key, a.seat_type, a.quantity,
           case when a.seat_type is null then max((p.price ->> 'base_minor')::bigint)
                else sum(case when t.mode = 'volume'
                    then case when a.quantity > t.above and a.quantity <= t.up_to
                         then t.flat + t.unit * a.quantity else 0 end
                    else case when a.quantity > t.above
                         then t.flat + t.unit * (least(a.quantity, t.up_to) - t.above) else 0 end
                end) end as per_interval,
           max(p.billing) as billing, max(p.per) as per
      from asked a
      join prices p on p.plan_key = a.plan_key and p.plan_version = a.plan_version and p.price_key = a.price_key
      left join tiers t on t.plan_key = a.plan_key and t.plan_version = a.plan_version
           and t.price_key = a.price_key and t.seat_type = a.seat_type
     group by a.plan_key, a.plan_version, a.price_key, a.seat_type, a.quantity
), numbered as (
    select l.*, x.per_interval, x.billing, x.per, mod(p.number, greatest(x.per / x.billing, 1)) as step
      from lines l
      left join listed x on x.plan_key = l.plan_key and x.plan_version = l.plan_version
           and x.price_key = l.price_key and x.seat_type is not distinct from l.seat_type and x.quantity = l.quantity
      left join period p on p.organization_id = l.organization_id and p.subscription_id = l.subscription_id
           and p.starts_at = l.period_starts_at
), derived as (
    select *, case when billing >= per then per_interval * (billing / per)
           -- Parts of one interval are differences of rounded levels.
           else div(2 * per_interval * (step + 1) * billing + per, 2 * per)
              - div(2 * per_interval * step * billing + per, 2 * per) end as listed
      from numbered
     where per_interval is null or billing >= per or step is not null
)
select organization_id, invoice_id, line_number, kind, quantity, full_minor, listed
  from derived
 where listed is distinct from full_minor
