-- M-11: In the running period of a live subscription every purchased seat that costs something is billed, and so is the
-- base; and the pool remembers of its day what the day's lines say.
-- Columns: subscription_id; seat_type, null for the base; purchased by the ledger; level kept by the pool; billed_seats,
-- billed_minor what the lines bill for a whole period; owed_minor the price of what is purchased; day_minor,
-- remembered_minor billed on the latest day. Seats are compared where each has a price of its own, else money; neither
-- where some came back for a part of what was billed.
-- Cost: one pass over the lines of running periods, grouped by subscription and seat type.
-- Parks: yes
with months (word, n) as (values ('month', 1), ('quarter', 3), ('year', 12)),
prices as (
    select v.plan_version_id, v.plan_key, v.version as plan_version, p.key as price_key, p.value as price,
           b.n as billing, m.n as per, coalesce((p.value ->> 'base_minor')::bigint, 0) as base
      from plan_version v
     cross join jsonb_each(v.document -> 'prices') p
      join months m on m.word = p.value ->> 'per'
      join months b on b.word = coalesce(p.value ->> 'billing', p.value ->> 'per')
), tiers as (
    select p.plan_version_id, p.price_key, s.key as seat_type, p.billing / p.per as times,
           coalesce((t.value ->> 'unit_minor')::bigint, 0) as unit, coalesce((t.value ->> 'flat_minor')::bigint, 0) as flat,
           coalesce(lag((t.value ->> 'up_to')::bigint) over (
                partition by p.plan_version_id, p.price_key, s.key order by t.place), 0) as above,
           coalesce((t.value ->> 'up_to')::bigint, 1000000) as up_to
      from prices p
     cross join jsonb_each(p.price -> 'seats') s
     cross join jsonb_array_elements(s.value -> 'tiers') with ordinality t (value, place)
     where s.value ->> 'mode' = 'graduated' and p.billing >= p.per
), live as (
    select s.organization_id, s.subscription_id, s.plan_version_id, s.price_key, s.period_starts_at,
           s.overrides, p.plan_key, p.plan_version, p.base, p.billing, p.per
      from subscription s
      join prices p on p.plan_version_id = s.plan_version_id and p.price_key = s.price_key
     where s.status not in ('ended', 'scheduled', 'incomplete') and s.period_number >= 0
       -- What is left of a carried period was billed where it began.
       and not exists (select 1 from period r where r.organization_id = s.organization_id
            and r.subscription_id = s.subscription_id and r.kind = 'carried' and r.ends_at = s.period_ends_at)
), lines as (
    select l.organization_id, v.subscription_id, l.kind, l.seat_type, l.unit_minor, l.full_minor, l.amount_minor,
           l.effective_at, i.created_at, i.invoice_id, l.line_number,
           max(case when l.kind in ('seats', 'base', 'credit') then i.invoice_id::text end) over (
                partition by i.organization_id, i.subscription_id) as begun_by
      from live v
      join invoice i on i.organization_id = v.organization_id and i.subscription_id = v.subscription_id
           and i.state in ('open', 'paid', 'void')
      join invoice_line l on l.organization_id = i.organization_id and l.invoice_id = i.invoice_id
           and l.period_starts_at = v.period_starts_at
     where not exists (
            select 1 from change c where c.organization_id = i.organization_id and c.invoice_id = i.invoice_id
               and c.state in ('awaiting_payment', 'failed', 'canceled'))
), running as (
    -- Ids are in the order of time, so the latest invoice with period lines begins what runs now.
    select * from lines where (begun_by is null or invoice_id::text >= begun_by) and kind <> 'credit'
), pools as (
    select v.organization_id, v.subscription_id, p.seat_type, v.plan_version_id, v.price_key,
           coalesce(l.n, 0) as purchased, p.billed_at, p.billed_minor, p.level,
           (v.overrides #>> array['seats', p.seat_type, 'unit_minor'])::bigint * (v.billing / v.per) as agreed_unit
      from live v
      join seat_pool p on p.organization_id = v.organization_id and p.subscription_id = v.subscription_id
           and p.capacity = 'purchased'
      left join (select organization_id, pool_id, sum(delta) as n from seat_ledger group by 1, 2) l
        on l.organization_id = p.organization_id and l.pool_id = p.pool_id
), listed as (
    select p.organization_id, p.subscription_id, p.seat_type, p.purchased, p.level, p.billed_at, p.billed_minor,
           case when p.agreed_unit is not null then p.agreed_unit * p.purchased
                else sum(case when p.purchased > t.above
                     then t.flat + t.unit * (least(p.purchased, t.up_to) - t.above) else 0 end * t.times) end as owed_minor,
           case when p.agreed_unit is not null then p.agreed_unit * p.level
                else sum(case when p.level > t.above
                     then t.flat + t.unit * (least(p.level, t.up_to) - t.above) else 0 end * t.times) end as level_kept
      from pools p
      join tiers t on t.plan_version_id = p.plan_version_id and t.price_key = p.price_key and t.seat_type = p.seat_type
     group by p.organization_id, p.subscription_id, p.seat_type, p.purchased, p.billed_at, p.billed_minor, p.level,
           p.agreed_unit
    having bool_or(t.unit > 0 or t.flat > 0) or p.agreed_unit > 0
), billed as (
    select w.organization_id, w.subscription_id, w.seat_type, sum(r.full_minor) as level_minor,
           sum(r.full_minor / nullif(r.unit_minor, 0)) as level_seats,
           bool_and(coalesce(r.unit_minor, 0) > 0) as in_seats,
           bool_or(r.kind = 'returned_seats' and r.unit_minor is null) as came_back,
           sum(r.amount_minor) filter (where r.kind in ('added_seats', 'returned_seats')
                and r.effective_at = w.billed_at) as day_minor
      from listed w
      join running r on r.organization_id = w.organization_id and r.subscription_id = w.subscription_id
           and r.seat_type = w.seat_type
     group by 1, 2, 3
)
select w.organization_id, w.subscription_id, w.seat_type, w.purchased, w.level, coalesce(b.level_seats, 0) as billed_seats,
       coalesce(b.level_minor, 0) as billed_minor, w.owed_minor, coalesce(b.day_minor, 0) as day_minor,
       w.billed_minor as remembered_minor
  from listed w
  left join billed b on b.organization_id = w.organization_id and b.subscription_id = w.subscription_id
       and b.seat_type = w.seat_type
 where case when coalesce(b.came_back, false) then false
            when coalesce(b.in_seats, true)
            then coalesce(b.level_seats, 0) < w.purchased or coalesce(b.level_seats, 0) <> w.level
            else b.level_minor < w.owed_minor or b.level_minor <> w.level_kept end
    or coalesce(b.day_minor, 0) <> w.billed_minor
union all
select v.organization_id, v.subscription_id, null, null, null, 0, 0, v.base, null, null
  from live v
 where coalesce((v.overrides ->> 'base_minor')::bigint, v.base) > 0 and not exists (
        select 1 from running r where r.organization_id = v.organization_id
           and r.subscription_id = v.subscription_id and r.kind = 'base')
