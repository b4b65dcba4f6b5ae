-- payer: Which member pays a subscription; null where it is the organization's own.
select payer_member_id from subscription
 where organization_id = :organization_id and subscription_id = :subscription_id

-- of_member: The live subscription which one member pays (or a named one), and whether its payment is awaited.
select s.subscription_id, s.payer_member_id, s.plan_version_id, s.price_key, s.overrides, s.status, s.anchor_on,
       s.period_number, s.period_starts_at, s.period_ends_at, s.term_ends_at, s.trial_ends_at, s.cancel_at,
       s.grace_ends_at, s.contract_id, s.discount_basis_points, s.version,
       s.payment_method is not null as has_payment_method,
       exists (select 1 from change c where c.organization_id = s.organization_id
            and c.subscription_id = s.subscription_id and c.state = 'awaiting_payment') as paying,
       coalesce((select m.balance_minor from member_account m where m.organization_id = s.organization_id
            and m.member_id = s.payer_member_id), 0) as balance_minor,
       (select i.invoice_id from invoice i where i.organization_id = s.organization_id
            and i.subscription_id = s.subscription_id and i.state = 'open'
          order by i.due_at, i.invoice_id limit 1) as open_invoice_id
  from subscription s
 where s.organization_id = :organization_id and s.payer_member_id = :member_id
   and case when :subscription_id::uuid is null then s.status <> 'ended'
            else s.subscription_id = :subscription_id end

-- payment_method: With what a subscription's paying member pays.
select payment_method from subscription
 where organization_id = :organization_id and subscription_id = :subscription_id

-- set_payment_method: Pay a member's subscription with this from now on.
update subscription set payment_method = :payment_method, version = version + 1
 where organization_id = :organization_id and subscription_id = :subscription_id

-- retry_open: Try the open invoices of a subscription again at once.
update invoice set next_attempt_at = :now
 where organization_id = :organization_id and subscription_id = :subscription_id and state = 'open'
   and due_at <= :now

-- others: What the other members pay, how many live members there are beside one, and who else needs room.
select (select s.plan_version_id from subscription s
         where s.organization_id = :organization_id and s.payer_member_id is not null
           and s.payer_member_id <> :member_id and s.status <> 'ended'
         order by s.started_at, s.subscription_id limit 1) as plan_version_id,
       (select count(*) from member m where m.organization_id = :organization_id and m.member_id <> :member_id
            and m.standing <> 'removed')::integer as members,
       (select count(*) from invitation i where i.organization_id = :organization_id and i.state = 'pending'
            and i.expires_at > :now)::integer as invited

-- member: One member with the user they are, locked for a change.
select member_id, user_id, email, name, role, standing
  from member
 where organization_id = :organization_id and member_id = :member_id
   for no key update

-- expect: Someone who is to pay before they come in: no member yet, but someone a subscription can name.
insert into member (organization_id, member_id, user_id, email, name, role, standing, source, joined_at, removed_at)
values (:organization_id, :member_id, :user_id, :email, :name, 'member', 'removed', :source, :now, :now)

-- lock_pools: Lock the pools which one member pays, in their one order.
select pool_id, subscription_id, seat_type, rank, capacity, every_member, purchased, assigned, held, waiting, ceiling,
       state, billed_at, paid, level, billed_minor
  from seat_pool
 where organization_id = :organization_id and payer_member_id = :member_id
 order by pool_id
   for no key update

-- upsert_pools: Give a member's subscription one pool per seat type; a pool that was there goes on under it.
insert into seat_pool (organization_id, pool_id, subscription_id, payer_member_id, seat_type, rank, capacity,
    every_member, purchased, billed_at)
select :organization_id, t.pool_id, :subscription_id, :member_id, t.seat_type, t.rank, :capacity, :every_member, 0,
       :now
  from unnest(:pool_ids::uuid[], :seat_types::text[], :ranks::integer[]) as t (pool_id, seat_type, rank)
on conflict (organization_id, payer_member_id, seat_type) where payer_member_id is not null do update
   set subscription_id = excluded.subscription_id, rank = excluded.rank, capacity = excluded.capacity,
       every_member = excluded.every_member

-- awaiting: The change whose payment a subscription waits for.
select change_id, state, invoice_id, failure from change
 where organization_id = :organization_id and subscription_id = :subscription_id and state = 'awaiting_payment'

-- owes: Whether an invoice of a subscription is open.
select exists (select 1 from invoice where organization_id = :organization_id and subscription_id = :subscription_id
    and state = 'open') as found

-- lock_of_invoice: Lock the member's subscription which an invoice is for.
select s.subscription_id
  from invoice i
  join subscription s on s.organization_id = i.organization_id and s.subscription_id = i.subscription_id
       and s.payer_member_id is not null
 where i.organization_id = :organization_id and i.invoice_id = :invoice_id
   for no key update of s

-- is_payer: Whether a member pays an invoice, or the invoice of a payment, for their own seat.
select exists (
    select 1 from invoice i
      join subscription s on s.organization_id = i.organization_id and s.subscription_id = i.subscription_id
     where i.organization_id = :organization_id and s.payer_member_id = :member_id
       and i.invoice_id = coalesce(:invoice_id::uuid, (
            select p.invoice_id from payment p
             where p.organization_id = :organization_id and p.payment_id = :payment_id))) as found

-- elsewhere: Where a user alone pays for themselves, among organizations of one catalog, currency and clock.
select o.organization_id, o.catalog_key, o.currency, o.time_zone, o.clock_id, m.member_id
  from member m
  join organization o on o.organization_id = m.organization_id
  join subscription s on s.organization_id = m.organization_id and s.payer_member_id = m.member_id
       and s.status <> 'ended'
 where m.user_id = :user_id and m.organization_id <> :organization_id and m.standing = 'active'
   and o.catalog_key = :catalog_key and o.currency = :currency and o.clock_id is not distinct from :clock_id
   and not exists (select 1 from member n where n.organization_id = m.organization_id
        and n.member_id <> m.member_id and n.standing <> 'removed')
 order by s.started_at, s.subscription_id
 limit 1
