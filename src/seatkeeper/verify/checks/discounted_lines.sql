-- C54: What is off the lines of a period is what was granted: its percentage off each line, or its fixed amount off the
-- lines that began the period, never more than they are; and no line has anything off that nobody granted.
-- Columns: subscription_id; period_starts_at; percentage and fixed amount off the lines; granted_percentage and
-- granted_minor by the discount, null where there is none.
-- Cost: one pass over lines, grouped by hash; discounts are few.
-- Parks: yes
with lines as (
    select l.organization_id, i.subscription_id, l.period_starts_at, l.full_minor, l.discount_basis_points,
           l.discount_fixed_minor, i.cause = 'period' and l.kind in ('base', 'seats') as begins
      from invoice_line l
      join invoice i on i.organization_id = l.organization_id and i.invoice_id = l.invoice_id
), begun as (
    select organization_id, subscription_id, period_starts_at, sum(full_minor) as full_minor,
           min(discount_basis_points) as least_off, max(discount_basis_points) as most_off,
           sum(discount_fixed_minor) as fixed
      from lines where begins group by 1, 2, 3
)
select p.organization_id, p.subscription_id, p.starts_at as period_starts_at, b.least_off as percentage, b.fixed,
       d.basis_points as granted_percentage, d.amount_minor as granted_minor
  from period p
  join discount d on d.organization_id = p.organization_id and d.discount_id = p.discount_id
  left join begun b on b.organization_id = p.organization_id and b.subscription_id = p.subscription_id
       and b.period_starts_at = p.starts_at
 where b.least_off is distinct from d.basis_points or b.most_off <> d.basis_points
    or b.fixed <> p.discount_minor or p.discount_minor <> least(d.amount_minor, b.full_minor)
    or d.subscription_id <> p.subscription_id
union all
select distinct l.organization_id, l.subscription_id, l.period_starts_at, l.discount_basis_points, l.discount_fixed_minor,
       null::integer, null::bigint
  from lines l
 where (l.discount_basis_points <> 0 or l.discount_fixed_minor <> 0) and not exists (
        select 1 from discount d where d.organization_id = l.organization_id and d.subscription_id = l.subscription_id
           and case when l.discount_fixed_minor <> 0 then d.amount_minor >= abs(l.discount_fixed_minor)
                    else d.basis_points = l.discount_basis_points end)
