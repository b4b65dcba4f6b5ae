-- M-19: While an organization's billing is parked no rail is asked for money.
-- Columns: payment_id and its provider; attempted_at; parked_at of the organization.
-- Cost: one pass over the payments of parked organizations.
-- Parks: no
select p.organization_id, p.payment_id, p.provider, p.attempted_at, o.parked_at
  from organization o
  join payment p on p.organization_id = o.organization_id
 where p.provider not in ('manual', 'balance') and p.attempted_at > o.parked_at + interval '1 minute'
