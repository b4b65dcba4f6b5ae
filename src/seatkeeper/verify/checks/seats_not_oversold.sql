-- S-1: No open pool has more seats taken than its ledger says were purchased.
-- Columns: pool_id the pool; purchased by its ledger; seated, holding live rows; state as stored.
-- Cost: one pass over pools, ledger, live assignments and live holds, joined by hash.
-- Parks: yes
select p.organization_id, p.pool_id, p.seat_type, coalesce(l.n, 0) as purchased, coalesce(a.n, 0) as seated,
       coalesce(h.n, 0) as holding, p.state
  from seat_pool p
  left join (select organization_id, pool_id, sum(delta) as n from seat_ledger group by 1, 2) l
    on l.organization_id = p.organization_id and l.pool_id = p.pool_id
  left join (select organization_id, pool_id, count(*) as n from assignment
              where ended_at is null group by 1, 2) a
    on a.organization_id = p.organization_id and a.pool_id = p.pool_id
  left join (select organization_id, pool_id, count(*) as n from hold
              where released_at is null group by 1, 2) h
    on h.organization_id = p.organization_id and h.pool_id = p.pool_id
 where p.state <> 'over_limit' and coalesce(a.n, 0) + coalesce(h.n, 0) > coalesce(l.n, 0)
