-- M-12: Terms begin with a seat for everyone who sits: only an end, a renewal or a lowered limit leaves too few.
-- Columns: pool_id the pool; purchased, taken its seats and who sits on them; cause of its last entry in the ledger.
-- Cost: one pass over pools that are over their limit, with their newest ledger entry.
-- Parks: no
select p.organization_id, p.pool_id, p.seat_type, p.purchased, p.assigned + p.held as taken, l.cause
  from seat_pool p
  join subscription s on s.organization_id = p.organization_id and s.subscription_id = p.subscription_id
  join plan_version v on v.plan_version_id = s.plan_version_id
 cross join lateral (
        select e.cause, e.cause_id from seat_ledger e
         where e.organization_id = p.organization_id and e.pool_id = p.pool_id
         order by e.effective_at desc, e.entry_id desc limit 1) l
 where p.assigned + p.held > p.purchased and p.purchased < coalesce((v.document ->> 'limit')::integer, 1000000)
   and p.capacity = 'purchased' and s.status not in ('ended', 'incomplete')
   and (l.cause in ('subscribe', 'change_plan', 'contract', 'transition')
        or (l.cause = 'ended' and l.cause_id <> p.subscription_id))
