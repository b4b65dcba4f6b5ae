-- M-11: A change that added seats at once billed exactly the seats which its ledger entries added.
-- Columns: change_id; seat_type; delta by the ledger; billed by the invoice's lines, null when there is no line.
-- Cost: one pass over the ledger entries and lines of changes, joined by hash.
-- Parks: yes
with entries as (
    select l.organization_id, l.cause_id as change_id, p.seat_type, p.subscription_id, l.effective_at,
           sum(l.delta) as delta
      from seat_ledger l
      join seat_pool p on p.organization_id = l.organization_id and p.pool_id = l.pool_id
     where l.cause in ('purchase_seats', 'reduce_seats', 'convert_seats')
        or (l.cause = 'amendment' and exists (select from change c where c.organization_id = l.organization_id
               and c.change_id = l.cause_id and c.command ->> 'plan_version_id' is null))
     group by 1, 2, 3, 4, 5
), lines as (
    select c.organization_id, c.change_id, l.seat_type, sum(l.quantity - l.quantity_before) as billed
      from change c
      join invoice_line l on l.organization_id = c.organization_id and l.invoice_id = c.invoice_id
     where c.state = 'applied' and l.kind in ('added_seats', 'returned_seats')
     group by 1, 2, 3
), charging as (
    -- Plan versions on which each price charges for that seat type.
    select v.plan_version_id, k.key as seat_type
      from plan_version v
     cross join jsonb_each(v.document -> 'prices') p
     cross join jsonb_each(p.value -> 'seats') k
     cross join jsonb_array_elements(k.value -> 'tiers') t
     group by v.plan_version_id, k.key, v.document
    having bool_or(coalesce((t ->> 'unit_minor')::bigint, 0) > 0 or coalesce((t ->> 'flat_minor')::bigint, 0) > 0)
       and count(distinct p.key) = (select count(*) from jsonb_object_keys(v.document -> 'prices'))
), running as (
    select e.*, x.plan_version_id as charges
      from entries e
      left join period r on r.organization_id = e.organization_id and r.subscription_id = e.subscription_id
           and r.starts_at <= e.effective_at and r.ends_at > e.effective_at and r.kind = 'paid'
      left join charging x on x.plan_version_id = r.plan_version_id and x.seat_type = e.seat_type
)
select coalesce(e.organization_id, l.organization_id) as organization_id, coalesce(e.change_id, l.change_id) as change_id,
       coalesce(e.seat_type, l.seat_type) as seat_type, e.delta, l.billed
  from running e
  full join lines l on l.organization_id = e.organization_id and l.change_id = e.change_id
       and l.seat_type = e.seat_type
 where (e.change_id is not null and l.change_id is not null and e.delta <> l.billed)
    or (e.change_id is null and l.billed <> 0)
    or (l.change_id is null and e.delta > 0 and e.charges is not null)
