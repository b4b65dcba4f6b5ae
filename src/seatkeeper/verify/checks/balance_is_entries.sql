-- M-10: The balance of an organization is the sum of its entries and never below nothing.
-- Columns: balance_minor as stored; entries_minor their sum.
-- Cost: one pass over billing accounts and entries, joined by hash.
-- Parks: yes
select b.organization_id, b.balance_minor, coalesce(e.n, 0) as entries_minor
  from billing_account b
  left join (select organization_id, sum(amount_minor) as n from balance_entry group by 1) e
    on e.organization_id = b.organization_id
 where b.balance_minor <> coalesce(e.n, 0) or b.balance_minor < 0
