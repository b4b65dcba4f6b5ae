-- A5: An organization has exactly one primary owner, unless its members pay for themselves and theirs has left.
-- Columns: members it has; owners among them that are primary.
-- Cost: one pass over members, grouped by organization.
-- Parks: no
select m.organization_id, count(*) as members, count(*) filter (where m.role = 'primary_owner') as owners
  from member m
 where m.standing <> 'removed'
 group by m.organization_id
having count(*) filter (where m.role = 'primary_owner') > 1
    or (count(*) filter (where m.role = 'primary_owner') = 0 and not exists (
        select 1 from subscription s where s.organization_id = m.organization_id and s.payer_member_id is not null))
