-- S-14: The counters of every pool equal its live assignments and its live holds.
-- Columns: pool_id the pool; assigned, held its counters; seated, holding what is really there.
-- Cost: one pass over pools, live assignments and live holds, joined by hash.
-- Parks: no
select p.organization_id, p.pool_id, p.seat_type, p.assigned, coalesce(a.n, 0) as seated, p.held,
       coalesce(h.n, 0) as holding
  from seat_pool p
  left join (select organization_id, pool_id, count(*) as n from assignment
              where ended_at is null group by 1, 2) a
    on a.organization_id = p.organization_id and a.pool_id = p.pool_id
  left join (select organization_id, pool_id, count(*) as n from hold
              where released_at is null group by 1, 2) h
    on h.organization_id = p.organization_id and h.pool_id = p.pool_id
 where p.assigned <> coalesce(a.n, 0) or p.held <> coalesce(h.n, 0)
