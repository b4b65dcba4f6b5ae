-- M-11: Within a period the billed seats cover the purchased ones on every day, and never more than the most there were.
-- Columns: invoice_id, line_number the last line of the day; seat_type; billed by the period's lines so far; least, most
-- what was owned at the day's end and the most owned so far. In seats where each has a price of its own, else all three
-- in minor units for a whole period.
-- Cost: one sort of the seat lines by subscription and time; each distinct price and quantity is looked up once.
-- Parks: yes
with months (word, n) as (values ('month', 1), ('quarter', 3), ('year', 12)),
tiers as (
    select v.plan_key, v.version as plan_version, p.key as price_key, s.key as seat_type, b.n / m.n as times,
           coalesce((t.value ->> 'unit_minor')::bigint, 0) as unit, coalesce((t.value ->> 'flat_minor')::bigint, 0) as flat,
           coalesce(lag((t.value ->> 'up_to')::bigint) over (
                partition by v.plan_version_id, p.key, s.key order by t.place), 0) as above,
           coalesce((t.value ->> 'up_to')::bigint, 1000000) as up_to
      from plan_version v
     cross join jsonb_each(v.document -> 'prices') p
      join months m on m.word = p.value ->> 'per'
      join months b on b.word = coalesce(p.value ->> 'billing', p.value ->> 'per') and b.n >= m.n
     cross join jsonb_each(p.value -> 'seats') s
     cross join jsonb_array_elements(s.value -> 'tiers') with ordinality t (value, place)
     -- More seats can cost less in volume tiers, so that amounts say nothing of levels there.
     where s.value ->> 'mode' = 'graduated'
), lines as (
    select l.organization_id, l.invoice_id, l.line_number, l.kind, l.seat_type, l.plan_key, l.plan_version, l.price_key,
           l.quantity, l.unit_minor, l.full_minor, l.effective_at, l.period_starts_at, i.subscription_id, i.created_at,
           count(*) filter (where l.kind in ('seats', 'credit')) over (
                partition by i.organization_id, i.subscription_id
                order by i.created_at, i.invoice_id) as segment
      from invoice_line l
      join invoice i on i.organization_id = l.organization_id and i.invoice_id = l.invoice_id
     -- What came back is a part of what was billed where that had another price: it says nothing of seats.
     where l.seat_type is not null and i.state in ('open', 'paid', 'void') and not exists (
            select 1 from change c where c.organization_id = i.organization_id and c.invoice_id = i.invoice_id
               and c.state in ('awaiting_payment', 'failed', 'canceled'))
), running as (
    select *, sum(full_minor) over so_far as billed_minor,
           sum(full_minor / nullif(unit_minor, 0)) over so_far as billed_seats,
           -- A price agreed meanwhile holds for what is billed from then on, so seats are counted, not money.
           bool_and(coalesce(unit_minor, 0) > 0) over so_far as in_seats,
           lead(effective_at) over turn is distinct from effective_at as ends_day,
           bool_or(kind = 'returned_seats' and unit_minor is null) over so_far as came_back,
           min(quantity) filter (where kind = 'seats') over so_far as begun_with
      from lines
     where kind in ('seats', 'added_seats', 'returned_seats')
    window turn as (partition by organization_id, subscription_id, seat_type, period_starts_at, segment
                order by created_at, invoice_id, line_number),
           so_far as (turn rows between unbounded preceding and current row)
), days as (
    select *, greatest(max(quantity) over (
                partition by organization_id, subscription_id, seat_type, period_starts_at, segment
                order by created_at, invoice_id, line_number rows between unbounded preceding and current row),
            coalesce(begun_with, 0)) as most
      from running where ends_day and not came_back
), asked as (
    select distinct plan_key, plan_version, price_key, seat_type, quantity
      from (select plan_key, plan_version, price_key, seat_type, quantity from days where not in_seats
            union all select plan_key, plan_version, price_key, seat_type, most from days where not in_seats) q
), listed as (
    select a.plan_key, a.plan_version, a.price_key, a.seat_type, a.quantity,
           sum(case when a.quantity > t.above
               then t.flat + t.unit * (least(a.quantity, t.up_to) - t.above) else 0 end * t.times) as minor
      from asked a
      join tiers t on t.plan_key = a.plan_key and t.plan_version = a.plan_version and t.price_key = a.price_key
           and t.seat_type = a.seat_type
     group by 1, 2, 3, 4, 5
), priced as (
    select d.organization_id, d.invoice_id, d.line_number, d.seat_type,
           case when d.in_seats then d.billed_seats else d.billed_minor end as billed,
           case when d.in_seats then d.quantity else least_of.minor end as least,
           case when d.in_seats then d.most else most_of.minor end as most
      from days d
      left join listed least_of on least_of.plan_key = d.plan_key and least_of.plan_version = d.plan_version
           and least_of.price_key = d.price_key and least_of.seat_type = d.seat_type and least_of.quantity = d.quantity
      left join listed most_of on most_of.plan_key = d.plan_key and most_of.plan_version = d.plan_version
           and most_of.price_key = d.price_key and most_of.seat_type = d.seat_type and most_of.quantity = d.most
)
select organization_id, invoice_id, line_number, seat_type, billed, least, most
  from priced
 where billed not between least and most
