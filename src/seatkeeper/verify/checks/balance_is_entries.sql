-- M-10: The balance of an organization, or of a member who pays, is the sum of its entries and never below nothing.
-- Columns: member_id of whose balance it is, null for the organization's; balance_minor as stored; entries_minor the sum.
-- Cost: one pass over the accounts and the entries, joined by hash.
-- Parks: yes
with entries as (
    select organization_id, member_id, sum(amount_minor) as n from balance_entry group by 1, 2
)
select b.organization_id, null::uuid as member_id, b.balance_minor, coalesce(e.n, 0) as entries_minor
  from billing_account b
  left join entries e on e.organization_id = b.organization_id and e.member_id is null
 where b.balance_minor <> coalesce(e.n, 0) or b.balance_minor < 0
union all
select coalesce(m.organization_id, e.organization_id), coalesce(m.member_id, e.member_id), m.balance_minor,
       coalesce(e.n, 0)
  from member_account m
  full join (select * from entries where member_id is not null) e
    on e.organization_id = m.organization_id and e.member_id = m.member_id
 where m.balance_minor is distinct from coalesce(e.n, 0) or m.balance_minor < 0
