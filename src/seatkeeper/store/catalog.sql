-- plan_version: One immutable version of a plan.
select plan_version_id, catalog_key, plan_key, version, document
  from plan_version where plan_version_id = :plan_version_id

-- plan_versions: Several versions at once.
select plan_version_id, catalog_key, plan_key, version, document
  from plan_version where plan_version_id = any(:plan_version_ids::uuid[])

-- lock: Let one catalog be applied at a time, because plan keys are unique over all of them.
select pg_advisory_xact_lock(hashtextextended('catalog', 7))

-- documents: The catalogs as they were applied last, or the one of a key.
select catalog_key, name, default_plan, membership_limit, document, applied_at
  from catalog
 where :catalog_key::text is null or catalog_key = :catalog_key
 order by catalog_key

-- latest_versions: The latest version of each plan of each catalog, retired or not.
select distinct on (plan_key) plan_version_id, catalog_key, plan_key, version, document, retired_at
  from plan_version
 where :catalog_key::text is null or catalog_key = :catalog_key
 order by plan_key, version desc

-- offered: The version of each plan that new subscriptions stand on; plans that were taken out have none.
select plan_version_id, catalog_key, plan_key, version, document
  from plan_version
 where (:catalog_key::text is null or catalog_key = :catalog_key)
   and (:plan_key::text is null or plan_key = :plan_key)
   and retired_at is null
 order by catalog_key, plan_key

-- apply: Keep a catalog's document.
insert into catalog (catalog_key, name, default_plan, membership_limit, document, applied_at)
values (:catalog_key, :name, :default_plan, :membership_limit, :document, :now)
on conflict (catalog_key) do update
   set name = excluded.name, default_plan = excluded.default_plan, membership_limit = excluded.membership_limit,
       document = excluded.document, applied_at = excluded.applied_at

-- retire: Take plans out of what is offered; their subscriptions stand on their versions as before.
update plan_version set retired_at = :now
 where catalog_key = :catalog_key and plan_key = any(:plan_keys::text[]) and retired_at is null

-- offer_again: Bring back plans that were taken out and have not changed since.
update plan_version set retired_at = null
 where catalog_key = :catalog_key and plan_version_id = any(:plan_version_ids::uuid[])

-- insert_versions: Add one new version of each plan.
insert into plan_version (plan_version_id, catalog_key, plan_key, version, document, created_at)
select v.plan_version_id, :catalog_key, v.plan_key, v.version, v.document, :now
  from unnest(:plan_version_ids::uuid[], :plan_keys::text[], :versions::integer[], :documents::jsonb[])
       as v (plan_version_id, plan_key, version, document)

-- chooser: What of an organization decides which plans it can choose.
select o.membership_limit, s.plan_version_id,
       (select count(*) from member m
         where m.organization_id = o.organization_id and m.standing = 'active')::integer as members,
       (select count(*) from invitation i
         where i.organization_id = o.organization_id and i.state = 'pending')::integer as pending,
       (select coalesce(sum(p.assigned + p.held), 0) from seat_pool p
         where p.organization_id = o.organization_id)::integer as occupied,
       (select w.plan_version_id from subscription w
         where w.organization_id = o.organization_id and w.payer_member_id is not null and w.status <> 'ended'
         order by w.subscription_id limit 1) as workspace_plan_version_id
  from organization o
  left join subscription s on s.organization_id = o.organization_id and s.payer_member_id is null
       and s.status not in ('ended', 'scheduled')
 where o.organization_id = :organization_id

-- default_plan: The newest version of the plan every organization of a catalog starts on.
select v.plan_version_id, v.catalog_key, v.plan_key, v.version, v.document
  from catalog c
  join plan_version v on v.catalog_key = c.catalog_key and v.plan_key = c.default_plan
 where c.catalog_key = :catalog_key and v.retired_at is null
 order by v.version desc
 limit 1
