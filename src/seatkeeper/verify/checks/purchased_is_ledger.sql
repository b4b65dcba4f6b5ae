-- S-9: What a pool owns is the sum of its ledger.
-- Columns: pool_id the pool; purchased as stored; ledger its sum.
-- Cost: one pass over pools and ledger, joined by hash.
-- Parks: yes
select p.organization_id, p.pool_id, p.seat_type, p.purchased, coalesce(l.n, 0) as ledger
  from seat_pool p
  left join (select organization_id, pool_id, sum(delta) as n from seat_ledger group by 1, 2) l
    on l.organization_id = p.organization_id and l.pool_id = p.pool_id
 where p.purchased <> coalesce(l.n, 0)
