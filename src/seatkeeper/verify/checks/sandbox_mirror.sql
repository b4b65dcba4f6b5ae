-- M-16: The books of the sandbox and our succeeded payments on it are the same, both ways.
-- Columns: provider_key of the charge; state of our payment; outcome in the books; both amounts.
-- Cost: one full join by hash of the books with our payments on that rail.
-- Parks: yes
select p.organization_id, coalesce(p.provider_key, b.provider_key) as provider_key, p.state, b.outcome,
       p.amount_minor, b.amount_minor as booked_minor
  from (select y.*, coalesce(c.now_at, :now::timestamptz) as now_at
          from payment y
          join organization o on o.organization_id = y.organization_id
          left join test_clock c on c.clock_id = o.clock_id
         where y.provider = 'sandbox') p
  full join sandbox_charge b on b.provider_key = p.provider_key
 where (p.state = 'succeeded' and b.outcome is distinct from 'succeeded')
    or (b.outcome = 'succeeded' and p.state is distinct from 'succeeded'
        -- An answer that was lost is looked up again, for a day at most.
        and not (coalesce(p.state, '') in ('pending', 'unknown', 'action_required')
                 and p.attempted_at > p.now_at - interval '25 hours'))
    or p.amount_minor <> b.amount_minor or p.currency <> b.currency
