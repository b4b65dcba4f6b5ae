-- facts: What never changes about an organization.
select organization_id, catalog_key, currency, time_zone, clock_id
  from organization
 where organization_id = :organization_id

-- clock_time: The time of a test clock.
select now_at from test_clock where clock_id = :clock_id

-- insert: Create an organization and its billing account; no row when another has that invoice prefix.
with created as (
    insert into organization (organization_id, catalog_key, name, currency, time_zone, clock_id, membership_limit,
        payment_method, created_at)
    select :organization_id, :catalog_key, :name, :currency, :time_zone, :clock_id, :membership_limit,
        :payment_method, :now
     where not exists (select 1 from billing_account where invoice_prefix = :invoice_prefix)
    returning organization_id
)
insert into billing_account (organization_id, invoice_prefix)
select organization_id, :invoice_prefix from created

-- one: An organization as its readers see it.
select o.organization_id, o.catalog_key, o.name, o.currency, o.time_zone, o.clock_id, o.membership_limit,
       o.allowed_domains, o.payment_method is not null as has_payment_method, o.parked_at, o.parked_reason, o.created_at, o.version,
       b.balance_minor, m.member_id as primary_owner
  from organization o
  join billing_account b on b.organization_id = o.organization_id
  left join member m on m.organization_id = o.organization_id and m.role = 'primary_owner'
       and m.standing <> 'removed'
 where o.organization_id = :organization_id

-- page: Organizations by id, a page at a time; a key that is bound to one sees that one.
select o.organization_id, o.catalog_key, o.name, o.currency, o.time_zone, o.clock_id, o.membership_limit,
       o.allowed_domains, o.payment_method is not null as has_payment_method, o.parked_at, o.parked_reason, o.created_at, o.version,
       b.balance_minor, m.member_id as primary_owner
  from ((select * from organization where :organization_id::uuid is null and organization_id > :after
          order by organization_id limit :page)
        union all
        (select * from organization where organization_id = :organization_id and organization_id > :after)) o
  join billing_account b on b.organization_id = o.organization_id
  left join member m on m.organization_id = o.organization_id and m.role = 'primary_owner'
       and m.standing <> 'removed'
 order by o.organization_id
 limit :page

-- change: Change what may be changed; no row when the version has moved on.
update organization
   set name = coalesce(:name, name),
       payment_method = case when :sets_payment_method then :payment_method else payment_method end,
       allowed_domains = coalesce(:allowed_domains, allowed_domains),
       membership_limit = case when :sets_membership_limit then :membership_limit else membership_limit end,
       version = version + 1
 where organization_id = :organization_id and (:version::integer is null or version = :version)
returning version

-- lock: Lock the organization for a story about who is in it.
select organization_id, membership_limit, payment_method, allowed_domains, parked_at, parked_reason
  from organization where organization_id = :organization_id
   for no key update

-- billing: How this organization pays, read without a lock.
select organization_id, membership_limit, payment_method, parked_at, parked_reason
  from organization where organization_id = :organization_id

-- tell: Record one event in the transaction it tells of.
insert into event (organization_id, kind, subject_id, member_id, occurred_at, actor, request_id, facts)
values (:organization_id, :kind, :subject_id, :member_id, :now, :actor, :request_id, :facts)

-- own_clock: The time of a test clock of this key, kept from advancing until the organization is there.
select now_at from test_clock
 where clock_id = :clock_id and owner_key_id = :owner_key_id and state = 'ready'
   for share

-- insert_primary_owner: The first member of a new organization, as the user of that external id.
with person as (
    insert into user_account (user_id, external_id, created_at)
    values (:user_id, :external_id, :now)
    on conflict (external_id) do update set external_id = excluded.external_id
    returning user_id
)
insert into member (organization_id, member_id, user_id, email, name, role, standing, source, joined_at)
select :organization_id, :member_id, user_id, :email, :name, 'primary_owner', 'active', 'creation', :now from person

-- limited_pools: The shared pools whose size is the membership limit, locked.
select pool_id, purchased from seat_pool
 where organization_id = :organization_id and payer_member_id is null and capacity = 'membership_limit'
 order by pool_id
   for no key update

-- resize_pool: Give a pool that follows the membership limit its new size.
with resized as (
    update seat_pool set purchased = :size,
           state = case when assigned + held > :size then 'over_limit' else 'open' end
     where organization_id = :organization_id and payer_member_id is null and pool_id = :pool_id
    returning pool_id
)
insert into seat_ledger (organization_id, pool_id, entry_id, delta, effective_at, cause, cause_id)
select :organization_id, pool_id, :entry_id, :delta, :now, 'membership_limit', :organization_id from resized
