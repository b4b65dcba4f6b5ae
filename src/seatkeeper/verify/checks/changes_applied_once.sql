-- I-6: A change that took effect at once is in the ledger exactly once, and one that did not is not there at all.
-- Columns: change_id and its state; seat_type; asked seats of its effect; entries in the ledger; delta their sum.
-- Cost: one pass over changes and ledger, joined by hash.
-- Parks: yes
with asked as (
    select c.organization_id, c.change_id, c.state, d.key as seat_type, d.value::integer as delta
      from change c
     cross join jsonb_each_text(c.effect -> 'deltas') d
     where c.state = 'applied' and c.slot is null and d.value::integer <> 0
), noted as (
    select l.organization_id, l.cause_id as change_id, p.seat_type, count(*) as entries, sum(l.delta) as delta
      from seat_ledger l
      join seat_pool p on p.organization_id = l.organization_id and p.pool_id = l.pool_id
     group by 1, 2, 3
)
select coalesce(a.organization_id, n.organization_id) as organization_id, coalesce(a.change_id, n.change_id) as change_id,
       coalesce(a.state, c.state) as state, coalesce(a.seat_type, n.seat_type) as seat_type, a.delta as asked,
       coalesce(n.entries, 0) as entries, n.delta
  from noted n
  join change c on c.organization_id = n.organization_id and c.change_id = n.change_id
  full join asked a on a.organization_id = n.organization_id and a.change_id = n.change_id
       and a.seat_type = n.seat_type
 where (a.change_id is not null and (n.change_id is null or n.entries <> 1 or n.delta <> a.delta))
    or (a.change_id is null and (n.entries > 1 or c.state <> 'applied'
        or coalesce(c.effect -> 'terms', 'null') = 'null'))
