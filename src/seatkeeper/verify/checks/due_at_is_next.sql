-- T-5: A live subscription is due at the first of: its period's end, its cancellation, the end of its grace. Under an
-- unsigned contract it stands beyond its period until that grace is over.
-- Columns: subscription_id; status; due_at as stored; should_be; is_unsigned.
-- Cost: one pass over subscriptions and unsigned contracts, joined by hash.
-- Parks: yes
select organization_id, subscription_id, status, due_at, should_be, is_unsigned
  from (select s.*, c.contract_id is not null as is_unsigned,
               case when s.status <> 'ended' then least(s.period_ends_at, s.cancel_at,
                    case when s.status = 'past_due' then s.grace_ends_at end) end as should_be
          from subscription s
          left join contract c on c.organization_id = s.organization_id and c.subscription_id = s.subscription_id
               and c.state = 'unsigned') s
 where case when is_unsigned then due_at < should_be else due_at is distinct from should_be end
