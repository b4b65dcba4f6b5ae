-- T-2: The periods of a subscription follow each other without a gap or an overlap, from its start on.
-- Columns: subscription_id; starts_at of the period; should_start where the one before ends, or its own beginning.
-- Cost: one sort of the periods by subscription and time.
-- Parks: yes
select organization_id, subscription_id, starts_at, should_start
  from (select p.organization_id, p.subscription_id, p.starts_at, p.ends_at, s.started_at,
               lag(p.ends_at) over turn as should_start
          from period p
          join subscription s on s.organization_id = p.organization_id and s.subscription_id = p.subscription_id
        window turn as (partition by p.organization_id, p.subscription_id order by p.starts_at)) tiles
 where starts_at <> should_start or (should_start is null and starts_at > started_at)
