-- live: The discount in force of a subscription, if it has one.
select discount_id, subscription_id, basis_points, amount_minor, periods, used, until, created_at, ended_at,
       ended_because, version
  from discount
 where organization_id = :organization_id and subscription_id = :subscription_id and ended_at is null

-- one: One discount, also when it has ended.
select discount_id, subscription_id, basis_points, amount_minor, periods, used, until, created_at, ended_at,
       ended_because, version
  from discount where organization_id = :organization_id and discount_id = :discount_id

-- grant: Grant a discount; its version is higher than that of every earlier one of the subscription.
insert into discount (organization_id, discount_id, subscription_id, basis_points, amount_minor, periods, until,
    created_at, version)
select :organization_id, :discount_id, :subscription_id, :basis_points, :amount_minor, :periods, :until, :now,
       coalesce(max(d.version), 0) + 1
  from discount d
 where d.organization_id = :organization_id and d.subscription_id = :subscription_id

-- finish: End the discounts in force of these subscriptions, and say why.
with ended as (
    update discount d set ended_at = :now, ended_because = :because
      from unnest(:organization_ids::uuid[], :subscription_ids::uuid[]) as a (organization_id, subscription_id)
     where d.organization_id = a.organization_id and d.subscription_id = a.subscription_id and d.ended_at is null
    returning d.organization_id, d.discount_id, d.basis_points, d.amount_minor
)
insert into event (organization_id, kind, subject_id, occurred_at, actor, request_id, facts)
select organization_id, 'discount.ended', discount_id, :now, :actor, :request_id,
       jsonb_build_object('because', :because::text, 'basis_points', basis_points, 'amount_minor', amount_minor)
  from ended

-- of_claimed: The discounts in force of subscriptions that are claimed, and so locked.
select d.organization_id, d.subscription_id, d.discount_id, d.basis_points, d.amount_minor, d.periods, d.used, d.until
  from unnest(:organization_ids::uuid[], :subscription_ids::uuid[]) as a (organization_id, subscription_id)
  join discount d on d.organization_id = a.organization_id and d.subscription_id = a.subscription_id
       and d.ended_at is null

-- carry: Say of begun periods what is off them, and count them; no discount_id where nothing is off any more.
with asked as (
    select * from unnest(:organization_ids::uuid[], :subscription_ids::uuid[], :starts::timestamptz[],
        :discount_ids::uuid[], :basis_points::integer[], :amounts::bigint[])
        as a (organization_id, subscription_id, starts_at, discount_id, basis_points, amount)
), noted as (
    update period p set discount_id = a.discount_id, discount_minor = a.amount
      from asked a
     where p.organization_id = a.organization_id and p.subscription_id = a.subscription_id
       and p.starts_at = a.starts_at and a.discount_id is not null
), counted as (
    update discount d set used = d.used + 1
      from asked a
     where d.organization_id = a.organization_id and d.discount_id = a.discount_id
)
update subscription s set discount_basis_points = a.basis_points
  from asked a
 where s.organization_id = a.organization_id and s.subscription_id = a.subscription_id
