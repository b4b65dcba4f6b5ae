-- claim: Take subscriptions that have come due, oldest first, with what their organizations say about billing.
select s.organization_id, s.subscription_id, s.payer_member_id, s.plan_version_id, s.price_key, s.overrides, s.status,
       s.anchor_on, s.period_number, s.period_starts_at, s.period_ends_at, s.term_ends_at, s.trial_ends_at, s.cancel_at,
       s.past_due_since, s.grace_ends_at, s.ended_at, s.due_at, s.contract_id, s.discount_basis_points,
       s.started_at, s.version,
       o.catalog_key, o.currency, o.time_zone, o.clock_id, o.catch_up_until,
       coalesce(s.payment_method, case when s.payer_member_id is null then o.payment_method end) as payment_method,
       exists (select 1 from change c where c.organization_id = s.organization_id
            and c.subscription_id = s.subscription_id and c.state = 'scheduled') as has_scheduled,
       exists (select 1 from discount d where d.organization_id = s.organization_id
            and d.subscription_id = s.subscription_id and d.ended_at is null) as has_discount
  from subscription s
  join organization o on o.organization_id = s.organization_id
 where s.timeline = timeline_of(:clock_id) and s.due_at <= :now and o.parked_at is null
   and not exists (select 1 from change c where c.organization_id = s.organization_id
        and c.subscription_id = s.subscription_id and c.state = 'awaiting_payment')
 order by s.due_at
 limit :most
   for no key update of s skip locked

-- lock_pools: Lock the pools of the claimed subscriptions in one order.
select p.organization_id, p.subscription_id, p.pool_id, p.seat_type, p.rank, p.capacity, p.every_member, p.purchased,
       p.assigned, p.held, p.waiting, p.ceiling, p.state, p.billed_at, p.paid, p.level, p.billed_minor
  from unnest(:organization_ids::uuid[], :subscription_ids::uuid[]) as a (organization_id, subscription_id)
  join seat_pool p on p.subscription_id = a.subscription_id and p.organization_id = a.organization_id
 order by p.organization_id, p.pool_id
   for no key update of p

-- renew: Begin the next period of each claimed subscription.
with asked as (
    select * from unnest(:organization_ids::uuid[], :subscription_ids::uuid[], :numbers::integer[],
        :starts::timestamptz[], :ends::timestamptz[], :term_ends::timestamptz[], :dues::timestamptz[],
        :statuses::text[], :plan_version_ids::uuid[])
        as a (organization_id, subscription_id, number, starts_at, ends_at, term_ends_at, due_at, status,
            plan_version_id)
), begun as (
    insert into period (organization_id, subscription_id, starts_at, ends_at, number, plan_version_id, kind)
    select organization_id, subscription_id, starts_at, ends_at, number, plan_version_id, 'paid' from asked
), told as (
    insert into event (organization_id, kind, subject_id, occurred_at, actor, facts)
    select organization_id, 'subscription.renewed', subscription_id, :now, :actor,
        jsonb_build_object('period', number, 'starts_at', (to_jsonb(starts_at at time zone 'UTC') #>> '{}') || 'Z')
      from asked
)
update subscription s
   set period_number = a.number, period_starts_at = a.starts_at, period_ends_at = a.ends_at,
       term_ends_at = a.term_ends_at, due_at = a.due_at, status = a.status, version = s.version + 1
  from asked a
 where s.organization_id = a.organization_id and s.subscription_id = a.subscription_id

-- resize: Start the pools of renewed subscriptions on their new quantities.
with asked as (
    select * from unnest(:organization_ids::uuid[], :pool_ids::uuid[], :quantities::integer[],
        :deltas::integer[], :starts::timestamptz[], :entry_ids::uuid[], :cause_ids::uuid[])
        as a (organization_id, pool_id, quantity, delta, starts_at, entry_id, cause_id)
), noted as (
    insert into seat_ledger (organization_id, pool_id, entry_id, delta, effective_at, cause, cause_id)
    select organization_id, pool_id, entry_id, delta, :now, 'renewal', cause_id from asked where delta <> 0
), told as (
    insert into event (organization_id, kind, subject_id, occurred_at, actor, facts)
    select a.organization_id, 'seats.rightsized', a.cause_id, :now, :actor,
        jsonb_build_object('seat_type', p.seat_type, 'delta', a.delta, 'purchased', a.quantity)
      from asked a join seat_pool p on p.organization_id = a.organization_id and p.pool_id = a.pool_id
     where a.delta <> 0
)
update seat_pool p
   set purchased = a.quantity, billed_at = a.starts_at, paid = a.quantity, level = a.quantity, billed_minor = 0,
       state = case when p.assigned + p.held > a.quantity then 'over_limit' else 'open' end
  from asked a
 where p.organization_id = a.organization_id and p.pool_id = a.pool_id

-- invoice: Issue one invoice per renewed subscription, numbered in order, the balance used first.
with asked as (
    select a.*, row_number() over (partition by organization_id order by invoice_id)::integer as turn,
           row_number() over (partition by organization_id, payer_member_id order by invoice_id) = 1 as is_first
      from unnest(:organization_ids::uuid[], :subscription_ids::uuid[], :invoice_ids::uuid[], :cause_ids::text[],
        :currencies::text[], :subtotals::bigint[], :dues::timestamptz[], :attempts::timestamptz[],
        :entry_ids::uuid[], :payer_member_ids::uuid[])
        as a (organization_id, subscription_id, invoice_id, cause_id, currency, subtotal, due_at, attempt_at,
            entry_id, payer_member_id)
), locked as (
    select b.organization_id, b.invoice_prefix, b.invoice_count, b.balance_minor
      from billing_account b
     where b.organization_id in (select organization_id from asked)
     order by b.organization_id
       for no key update
), members as (
    -- Locked although the account is: what was credited while this waited for that lock is seen.
    select m.organization_id, m.member_id, m.balance_minor
      from member_account m
     where (m.organization_id, m.member_id) in (
            select a.organization_id, a.payer_member_id from asked a join locked l using (organization_id)
             where a.payer_member_id is not null)
       for no key update
), priced as (
    select a.*, l.invoice_prefix, l.invoice_count + a.turn as serial,
        case when not a.is_first then 0 when a.payer_member_id is null then least(l.balance_minor, a.subtotal)
             else least(coalesce(m.balance_minor, 0), a.subtotal) end as used
      from asked a join locked l on l.organization_id = a.organization_id
      left join members m on m.organization_id = a.organization_id and m.member_id = a.payer_member_id
), counted as (
    update billing_account b
       set invoice_count = b.invoice_count + n.invoices, balance_minor = b.balance_minor - n.used
      from (select organization_id, count(*)::integer as invoices,
                   coalesce(sum(used) filter (where payer_member_id is null), 0) as used from priced group by 1) n
     where b.organization_id = n.organization_id
), spent as (
    update member_account m set balance_minor = m.balance_minor - p.used
      from priced p
     where m.organization_id = p.organization_id and m.member_id = p.payer_member_id and p.used > 0
), used as (
    insert into balance_entry (organization_id, entry_id, amount_minor, currency, reason, invoice_id, member_id,
        created_at)
    select organization_id, entry_id, -used, currency, 'used on invoice', invoice_id, payer_member_id, :now
      from priced where used > 0
), made as (
    insert into invoice (organization_id, invoice_id, subscription_id, number, state, cause, cause_id, currency,
        subtotal_minor, balance_minor, due_minor, created_at, issued_at, due_at, closed_at, next_attempt_at,
        timeline)
    select organization_id, invoice_id, subscription_id,
        invoice_prefix || '-' || lpad(serial::text, greatest(6, length(serial::text)), '0'),
        case when subtotal = used then 'paid' else 'open' end, 'period', cause_id, currency, subtotal, used,
        subtotal - used, :now, :now, due_at, case when subtotal = used then :now::timestamptz end,
        case when subtotal > used then attempt_at end,
        (select o.timeline from organization o where o.organization_id = priced.organization_id)
      from priced
)
insert into event (organization_id, kind, subject_id, occurred_at, actor, facts)
select organization_id, 'invoice.' || case when subtotal = used then 'paid' else 'opened' end, invoice_id, :now,
       :actor, jsonb_build_object('due_minor', subtotal - used, 'currency', currency)
  from priced

-- lines: Write the lines of many invoices.
insert into invoice_line (organization_id, invoice_id, line_number, kind, seat_type, plan_key, plan_version, price_key,
    quantity, quantity_before, unit_minor, part, whole, basis, full_minor, amount_minor, period_starts_at,
    period_ends_at, effective_at, assigned, held, discount_basis_points, discount_fixed_minor)
select * from unnest(:organization_ids::uuid[], :invoice_ids::uuid[], :line_numbers::integer[], :kinds::text[],
    :seat_types::text[], :plan_keys::text[], :plan_versions::integer[], :price_keys::text[], :quantities::integer[],
    :quantities_before::integer[], :units::bigint[], :parts::bigint[], :wholes::bigint[], :bases::text[],
    :fulls::bigint[], :amounts::bigint[], :starts::timestamptz[], :ends::timestamptz[], :effectives::timestamptz[],
    :assigned::integer[], :held::integer[], :discounts::integer[], :fixed::bigint[])

-- scheduled: The scheduled changes of the claimed subscriptions that take effect by their due instants.
select c.organization_id, c.subscription_id, c.change_id, c.kind, c.slot, c.command, c.effect, c.effective_at
  from unnest(:organization_ids::uuid[], :subscription_ids::uuid[]) as a (organization_id, subscription_id)
  join change c on c.organization_id = a.organization_id and c.subscription_id = a.subscription_id
       and c.state = 'scheduled'
 order by c.change_id

-- applied: Close scheduled changes that a renewal has carried out.
with closed as (
    update change c set state = 'applied', closed_at = :now, version = c.version + 1
      from unnest(:organization_ids::uuid[], :change_ids::uuid[]) as a (organization_id, change_id)
     where c.organization_id = a.organization_id and c.change_id = a.change_id and c.state = 'scheduled'
    returning c.organization_id, c.change_id, c.kind
)
insert into event (organization_id, kind, subject_id, occurred_at, actor, facts)
select organization_id, 'change.applied', change_id, :now, :actor, jsonb_build_object('kind', kind) from closed

-- park: Stop the billing of organizations for which something cannot be right, and tell.
with parked as (
    update organization o set parked_at = :now, parked_reason = :reason, version = o.version + 1
     where o.organization_id = any(:organization_ids::uuid[]) and o.parked_at is null
    returning o.organization_id
)
insert into event (organization_id, kind, subject_id, occurred_at, actor, facts)
select organization_id, 'organization.parked', organization_id, :now, :actor, jsonb_build_object('reason', :reason::text)
  from parked

-- cancel_scheduled: Cancel what was scheduled for a subscription that ends or changes its plan.
update change set state = 'canceled', closed_at = :now, version = version + 1
 where organization_id = :organization_id and subscription_id = :subscription_id and state = 'scheduled'

-- fail_change: A scheduled change that cannot be carried out on its day.
with failed as (
    update change set state = 'failed', closed_at = :now, failure = :failure, version = version + 1
     where organization_id = :organization_id and change_id = :change_id and state = 'scheduled'
    returning change_id
)
insert into event (organization_id, kind, subject_id, occurred_at, actor, facts)
select :organization_id, 'change.failed', change_id, :now, :actor, :failure from failed

-- lapse: Take every purchased seat of an ended subscription; the people stay, the pools are over their limit.
with lapsed as (
    select pool_id, purchased, assigned, held from seat_pool
     where organization_id = :organization_id and subscription_id = :subscription_id
       for no key update
), noted as (
    insert into seat_ledger (organization_id, pool_id, entry_id, delta, effective_at, cause, cause_id)
    select :organization_id, l.pool_id, f.id, -l.purchased, :now, 'ended', :subscription_id
      from (select pool_id, purchased, row_number() over (order by pool_id) as n from lapsed where purchased > 0) l
      join unnest(:ids::uuid[]) with ordinality as f (id, n) on f.n = l.n
)
update seat_pool p
   set purchased = 0, state = case when l.assigned + l.held > 0 then 'over_limit' else 'open' end
  from lapsed l
 where p.organization_id = :organization_id and p.pool_id = l.pool_id

-- release_holds: Let pending invitations stand without their seats, because the renewal counts members only.
with released as (
    update hold set released_at = greatest(:now, held_at), outcome = 'released'
     where organization_id = :organization_id and pool_id = :pool_id and released_at is null
    returning hold_id
)
update seat_pool p
   set held = p.held - (select count(*) from released)::integer,
       state = case when p.assigned + p.held - (select count(*) from released) <= p.purchased then 'open'
                    else p.state end
 where p.organization_id = :organization_id and p.pool_id = :pool_id

-- next_due: The earliest later instant at which something is due for the organizations of a clock.
select least(
    (select s.due_at from subscription s join organization o on o.organization_id = s.organization_id
      where s.timeline = timeline_of(:clock_id) and s.due_at > :after and o.parked_at is null
      order by s.due_at limit 1),
    (select min(i.expires_at) from invitation i
      where i.timeline = timeline_of(:clock_id) and i.state = 'pending' and i.expires_at > :after),
    (select v.next_attempt_at from invoice v join organization o on o.organization_id = v.organization_id
      where v.timeline = timeline_of(:clock_id) and v.next_attempt_at > :after and o.parked_at is null
      order by v.next_attempt_at limit 1),
    (select min(a.expires_at) from amendment a
      where a.timeline = timeline_of(:clock_id) and a.state in ('quoted', 'requested') and a.expires_at > :after),
    (select min(c.requested_at) + :patience::interval from change c
      where c.timeline = timeline_of(:clock_id) and c.state = 'awaiting_payment'
        and c.requested_at > :after::timestamptz - :patience::interval),
    (select min(c.requested_at) + :unpaid_max::interval from change c
      where c.timeline = timeline_of(:clock_id) and c.state = 'awaiting_payment'
        and c.requested_at > :after::timestamptz - :unpaid_max::interval)
) as due_at

-- attempts: Take invoices whose next attempt has come, oldest first.
select i.organization_id, i.invoice_id, i.subscription_id, i.attempts, i.due_at, i.next_attempt_at,
       s.plan_version_id, s.price_key, s.status, o.catalog_key, o.currency, o.time_zone, o.clock_id,
       (select c.overdue_grace_days from contract c where c.organization_id = s.organization_id
            and c.subscription_id = s.subscription_id and c.state <> 'ended') as contract_grace_days,
       coalesce(s.payment_method, case when s.payer_member_id is null then o.payment_method end) as payment_method
  from invoice i
  join organization o on o.organization_id = i.organization_id
  join subscription s on s.organization_id = i.organization_id and s.subscription_id = i.subscription_id
 where i.timeline = timeline_of(:clock_id) and i.next_attempt_at <= :now and o.parked_at is null
 order by i.next_attempt_at
 limit :most
   for no key update of i skip locked

-- plan_attempt: Set when an invoice is tried next.
update invoice set attempts = :attempts, next_attempt_at = :next_attempt_at
 where organization_id = :organization_id and invoice_id = :invoice_id and state = 'open'

-- fall_behind: A subscription with an overdue invoice, of whatever plan it had, is in arrears; access lasts through the grace.
with behind as (
    update subscription s
       set status = 'past_due', past_due_since = :now, grace_ends_at = :grace_ends_at,
           due_at = least(due_at, :grace_ends_at), version = version + 1
     where organization_id = :organization_id and subscription_id = :subscription_id
       and status in ('active', 'trialing', 'canceling')
       and exists (select 1 from invoice i where i.organization_id = :organization_id
            and i.invoice_id = :invoice_id and i.state = 'open')
    returning subscription_id
)
insert into event (organization_id, kind, subject_id, occurred_at, actor, facts)
select :organization_id, 'subscription.past_due', subscription_id, :now, :actor,
       jsonb_build_object('grace_ends_at', (to_jsonb(:grace_ends_at::timestamptz at time zone 'UTC') #>> '{}') || 'Z')
  from behind

-- unpaid_changes: Changes whose payment never came to an end; by hand it may come until the subscription is due.
select c.organization_id, c.change_id, c.kind, p.payment_id, p.provider, p.method, p.provider_key, p.amount_minor,
       p.currency, p.state as payment_state, c.requested_at, c.invoice_id, i.state as invoice_state,
       s.due_at <= :now as too_late, o.catalog_key,
       o.time_zone, o.clock_id
  from (select * from change w
         where w.timeline = timeline_of(:clock_id) and w.state = 'awaiting_payment' and w.requested_at <= :before
         order by w.requested_at) c
  join organization o on o.organization_id = c.organization_id
  join subscription s on s.organization_id = c.organization_id and s.subscription_id = c.subscription_id
  join payment p on p.organization_id = c.organization_id and p.invoice_id = c.invoice_id
       and p.state in ('pending', 'unknown', 'action_required')
       and (p.provider <> 'manual' or s.due_at <= :now)
  join invoice i on i.organization_id = c.organization_id and i.invoice_id = c.invoice_id
 order by c.requested_at
 limit :most

-- due_row: One claimed subscription with what its organization says about billing, and its contract's terms.
select s.organization_id, s.subscription_id, s.payer_member_id, s.plan_version_id, s.period_number, s.due_at,
       o.catalog_key, o.currency, o.time_zone, o.clock_id, o.catch_up_until,
       (select c.net_terms_days from contract c where c.organization_id = s.organization_id
            and c.subscription_id = s.subscription_id and c.state <> 'ended') as net_terms_days,
       coalesce(s.payment_method, case when s.payer_member_id is null then o.payment_method end) as payment_method
  from subscription s
  join organization o on o.organization_id = s.organization_id
 where s.organization_id = :organization_id and s.subscription_id = :subscription_id
