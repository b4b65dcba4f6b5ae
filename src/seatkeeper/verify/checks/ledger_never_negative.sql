-- S-9: At no instant did a pool own fewer than no seats.
-- Columns: pool_id the pool; effective_at the instant; owned the ledger's sum up to it.
-- Cost: one sort of the ledger by pool and time.
-- Parks: yes
select organization_id, pool_id, effective_at, owned
  from (select organization_id, pool_id, effective_at,
               sum(sum(delta)) over (partition by organization_id, pool_id order by effective_at) as owned
          from seat_ledger
         group by organization_id, pool_id, effective_at) l
 where owned < 0
