-- T-7: A cancellation stands until its day: only a resumption, other terms asked for later or a new contract take it
-- back. Who was in arrears meanwhile may be on the default plan before that day.
-- Columns: subscription_id; change_id the cancellation; should_end its instant; cancel_at as stored.
-- Cost: one sort of applied changes by subscription, joined with subscriptions, plans and contracts by hash.
-- Parks: yes
with newest as (
    select distinct on (organization_id, subscription_id) organization_id, subscription_id, change_id, kind, closed_at,
           (effect ->> 'cancel_at')::timestamptz as should_end
      from change
     where state = 'applied' and kind in ('cancel', 'resume', 'subscribe', 'change_plan')
     order by organization_id, subscription_id, change_id desc
)
select s.organization_id, s.subscription_id, n.change_id, n.should_end, s.cancel_at
  from newest n
  join subscription s on s.organization_id = n.organization_id and s.subscription_id = n.subscription_id
  join plan_version v on v.plan_version_id = s.plan_version_id
  join catalog c on c.catalog_key = v.catalog_key
 where n.kind = 'cancel' and s.status <> 'ended' and s.cancel_at is distinct from n.should_end
   and v.plan_key is distinct from c.default_plan
   and not exists (select 1 from contract k where k.organization_id = s.organization_id
        and k.subscription_id = s.subscription_id and k.created_at >= n.closed_at)
