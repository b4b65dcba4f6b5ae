-- M-8: Each amount is its full amount, less its part of a fixed discount, less a percentage, times part/whole, rounded
-- once; increases of one subscription, price and
-- effective day are rounded together, so that a line is the day's rounded level less what the day has billed.
-- Columns: invoice_id; line_number; amount_minor as stored, on one day summed up; derived the same from full amounts.
-- Cost: one sort of the lines by subscription and time.
-- Parks: yes
with prices as (
    select v.plan_key, v.version as plan_version, p.key as price_key,
           -- The price of a year in monthly parts is rounded already, so that a unit may be lost on the way.
           case coalesce(p.value ->> 'billing', p.value ->> 'per')
                when 'month' then 1 when 'quarter' then 3 else 12 end
             < case p.value ->> 'per' when 'month' then 1 when 'quarter' then 3 else 12 end as is_split
      from plan_version v, jsonb_each(v.document -> 'prices') p
), lines as (
    select l.*, i.subscription_id, i.created_at,
           count(*) filter (where l.kind in ('base', 'seats', 'credit')) over (
                partition by i.organization_id, i.subscription_id
                order by i.created_at, i.invoice_id) as segment
      from invoice_line l
      join invoice i on i.organization_id = l.organization_id and i.invoice_id = l.invoice_id
     where i.state <> 'discarded' and not exists (
            select 1 from change c where c.organization_id = i.organization_id and c.invoice_id = i.invoice_id
               and c.state in ('failed', 'canceled'))
), summed as (
    select organization_id, invoice_id, line_number, kind, plan_key, plan_version, price_key,
           part::numeric * (10000 - discount_basis_points) as part, whole::numeric * 10000 as whole,
           case when kind in ('added_seats', 'returned_seats') then sum(amount_minor) over day
                else amount_minor end as amount_minor,
           case when kind in ('added_seats', 'returned_seats') then sum(full_minor) over day
                else full_minor - discount_fixed_minor end as full_minor
      from lines
    window day as (partition by organization_id, subscription_id, seat_type, plan_key, plan_version, price_key,
                unit_minor, discount_basis_points, period_starts_at, effective_at, segment, kind in ('added_seats', 'returned_seats')
            order by created_at, invoice_id, line_number rows between unbounded preceding and current row)
), derived as (
    select s.*, coalesce(p.is_split, false) and s.kind in ('added_seats', 'returned_seats') as is_split,
           sign(s.full_minor) * div(2 * abs(s.full_minor::numeric) * s.part + s.whole, 2 * s.whole) as derived
      from summed s
      left join prices p on p.plan_key = s.plan_key and p.plan_version = s.plan_version and p.price_key = s.price_key
)
select organization_id, invoice_id, line_number, kind, amount_minor, derived
  from derived
 where abs(amount_minor - derived) > case when is_split then 1 else 0 end
