-- facts: What else bears on a change of a subscription: what is owed, unsigned, being paid, and to be off.
select exists (select 1 from invoice i
              join subscription x on x.organization_id = i.organization_id and x.subscription_id = i.subscription_id
             where i.organization_id = :organization_id and i.state = 'open' and i.due_at < :now
               and x.payer_member_id is not distinct from s.payer_member_id) as overdue,
       exists (select 1 from contract c where c.organization_id = :organization_id
            and c.subscription_id = :subscription_id and c.state = 'unsigned') as unsigned,
       (select c.net_terms_days from contract c where c.organization_id = :organization_id
            and c.subscription_id = :subscription_id and c.state <> 'ended') as net_terms_days,
       d.discount_id, d.basis_points, d.amount_minor, d.periods, d.used, d.until,
       w.change_id as waiting_change_id, w.invoice_id as waiting_invoice_id, w.in_flight
  from subscription s
  left join discount d on d.organization_id = s.organization_id and d.subscription_id = s.subscription_id
       and d.ended_at is null
  left join lateral (
        select g.change_id, g.invoice_id, i.state = 'draft' or exists (
                 select 1 from payment p where p.organization_id = g.organization_id and p.invoice_id = g.invoice_id
                    and p.provider <> 'manual' and p.state in ('pending', 'unknown')) as in_flight
          from change g
          join invoice i on i.organization_id = g.organization_id and i.invoice_id = g.invoice_id
         where g.organization_id = s.organization_id and g.subscription_id = s.subscription_id
           and g.state = 'awaiting_payment'
         limit 1) w on true
 where s.organization_id = :organization_id and s.subscription_id = :subscription_id

-- scheduled: Changes that wait for the end of a period.
select change_id, kind, slot, effect, effective_at, command, version
  from change
 where organization_id = :organization_id and subscription_id = :subscription_id and state = 'scheduled'
 order by change_id

-- insert: Record a change.
insert into change (organization_id, change_id, subscription_id, kind, state, command, quote_id, slot, effective_at,
    requested_at, closed_at, actor, invoice_id, effect, request_key, request_hash, resume, timeline)
values (:organization_id, :change_id, :subscription_id, :kind, :state, :command, :quote_id, :slot, :effective_at,
    :now, case when :state::text in ('applied', 'failed') then :now::timestamptz end, :actor, :invoice_id, :effect,
    :request_key, :request_hash, :resume,
    (select timeline from organization where organization_id = :organization_id))

-- close: Close a change that was waiting; no row when it is closed already.
update change set state = :state, closed_at = :now, failure = :failure, version = version + 1
 where organization_id = :organization_id and change_id = :change_id
   and state in ('awaiting_payment', 'scheduled')
returning change_id

-- cancel_slot: Cancel what is scheduled in a slot, because something newer takes its place.
update change set state = 'canceled', closed_at = :now, version = version + 1
 where organization_id = :organization_id and subscription_id = :subscription_id and state = 'scheduled'
   and slot = :slot

-- lock: One change, locked.
select change_id, subscription_id, kind, state, command, quote_id, slot, effective_at, requested_at, closed_at, actor,
       invoice_id, effect, failure, resume, version
  from change where organization_id = :organization_id and change_id = :change_id
   for no key update

-- one: One change.
select change_id, subscription_id, kind, state, command, quote_id, slot, effective_at, requested_at, closed_at, actor,
       invoice_id, effect, failure, resume, version
  from change where organization_id = :organization_id and change_id = :change_id

-- plan_of: The plan of the subscription that a change is about.
select s.plan_version_id
  from change c
  join subscription s on s.organization_id = c.organization_id and s.subscription_id = c.subscription_id
 where c.organization_id = :organization_id and c.change_id = :change_id

-- of_request: The change that a repeated request made before it was cut off.
select change_id, subscription_id, kind, state, command, quote_id, slot, effective_at, requested_at, closed_at, actor,
       invoice_id, effect, failure, resume, version, request_hash
  from change where organization_id = :organization_id and request_key = :request_key

-- resumed: Note that a change was followed by the refused action of a token.
update change set resume = :token where organization_id = :organization_id and change_id = :change_id

-- is_resumed: Whether the refused action of a token was done after a change already.
select exists (select 1 from change where organization_id = :organization_id and resume = :token) as found

-- page: Changes, of one state or all, newest first.
select change_id, subscription_id, kind, state, command, quote_id, slot, effective_at, requested_at, closed_at, actor,
       invoice_id, effect, failure, resume, version
  from ((select * from change
          where :state::text is null and organization_id = :organization_id and change_id < :before
          order by change_id desc limit :page)
        union all
        (select * from change
          where organization_id = :organization_id and state = :state and change_id < :before
          order by change_id desc limit :page)) c
 order by change_id desc
 limit :page

-- quote_insert: Keep a quote.
insert into quote (organization_id, quote_id, command, offer, due_now_minor, created_at, local_day, expires_at)
values (:organization_id, :quote_id, :command, :offer, :due_now_minor, :now, :local_day, :expires_at)

-- quote: One quote, and whether a change that was not undone has accepted it.
select q.quote_id, q.command, q.offer, q.due_now_minor, q.created_at, q.local_day, q.expires_at,
       exists (select 1 from change c where c.organization_id = q.organization_id and c.quote_id = q.quote_id
            and c.state <> 'failed') as accepted
  from quote q where q.organization_id = :organization_id and q.quote_id = :quote_id

-- apply_levels: Change purchased seats of locked pools with their ledger entries and the day's levels.
with asked as (
    select * from unnest(:pool_ids::uuid[], :deltas::integer[], :paid::integer[], :levels::integer[],
        :billed::bigint[], :entry_ids::uuid[]) as a (pool_id, delta, paid, level, billed, entry_id)
), noted as (
    insert into seat_ledger (organization_id, pool_id, entry_id, delta, effective_at, cause, cause_id)
    select :organization_id, pool_id, entry_id, delta, :now, :cause, :cause_id from asked where delta <> 0
), told as (
    insert into event (organization_id, kind, subject_id, occurred_at, actor, request_id, facts)
    select :organization_id, case when a.delta > 0 then 'seats.purchased' else 'seats.reduced' end, :cause_id, :now,
        :actor, :request_id, jsonb_build_object('seat_type', p.seat_type, 'delta', a.delta,
            'purchased', p.purchased + a.delta, 'cause', :cause::text)
      from asked a join seat_pool p on p.organization_id = :organization_id and p.pool_id = a.pool_id
     where a.delta <> 0
)
update seat_pool p
   set purchased = p.purchased + a.delta, billed_at = coalesce(:level_at, p.billed_at), paid = a.paid,
       level = a.level, billed_minor = a.billed,
       state = case when p.assigned + p.held > p.purchased + a.delta then 'over_limit' else 'open' end
  from asked a
 where p.organization_id = :organization_id and p.pool_id = a.pool_id

-- set_status: Change where a subscription stands, and when it is due next.
with changed as (
    update subscription
       set status = :status, cancel_at = :cancel_at,
           due_at = case when :status::text = 'ended' then null
                         else least(period_ends_at, coalesce(:cancel_at, period_ends_at)) end,
           ended_at = case when :status = 'ended' then :now::timestamptz end, version = version + 1
     where organization_id = :organization_id and subscription_id = :subscription_id
    returning subscription_id
)
insert into event (organization_id, kind, subject_id, occurred_at, actor, request_id, facts)
select :organization_id, 'subscription.' || :status, subscription_id, :now, :actor, :request_id,
       jsonb_strip_nulls(jsonb_build_object('cancel_at', (to_jsonb(:cancel_at::timestamptz at time zone 'UTC') #>> '{}') || 'Z'))
  from changed

-- touch: Note that what a subscription bought is not what its readers saw.
update subscription set version = version + 1
 where organization_id = :organization_id and subscription_id = :subscription_id

-- insert_subscription: Begin a subscription.
insert into subscription (organization_id, subscription_id, payer_member_id, plan_version_id, price_key, status,
    anchor_on, period_number, period_starts_at, period_ends_at, term_ends_at, trial_ends_at, due_at, started_at,
    timeline)
values (:organization_id, :subscription_id, :payer_member_id, :plan_version_id, :price_key, :status,
    :anchor_on, :period_number, :period_starts_at, :period_ends_at, :term_ends_at, :trial_ends_at, :due_at, :now,
    (select timeline from organization where organization_id = :organization_id))

-- set_terms: Put a subscription on other terms; what was agreed for the old ones ends with them, but no debt does.
with stands as (
    select s.subscription_id,
           case when :status = 'active' and :priced::boolean and exists (select 1 from invoice i
                    where i.organization_id = s.organization_id and i.subscription_id = s.subscription_id
                      and i.state = 'open' and i.due_at < :now) then 'past_due' else :status::text end as status
      from subscription s
     where s.organization_id = :organization_id and s.subscription_id = :subscription_id
), behind as (
    -- A grace that runs goes on. One that is over was ended for, so what begins has a grace of its own.
    select t.subscription_id, t.status, t.status = 'past_due' as owes,
           coalesce(case when s.grace_ends_at > :now or :status = 'past_due' then s.grace_ends_at end,
               :grace_ends_at::timestamptz) as grace_ends_at
      from stands t
      join subscription s on s.organization_id = :organization_id and s.subscription_id = t.subscription_id
), changed as (
    update subscription s
       set plan_version_id = :plan_version_id, price_key = :price_key, overrides = null,
           discount_basis_points = case when :keeps_price::boolean then discount_basis_points else 0 end,
           status = b.status,
           anchor_on = :anchor_on, period_number = :period_number, period_starts_at = :period_starts_at,
           period_ends_at = :period_ends_at, term_ends_at = :term_ends_at, trial_ends_at = :trial_ends_at,
           due_at = least(:due_at::timestamptz, :cancel_at::timestamptz, case when b.owes then b.grace_ends_at end),
           cancel_at = :cancel_at, past_due_since = case when b.owes then coalesce(s.past_due_since, :now) end,
           grace_ends_at = case when b.owes then b.grace_ends_at end, version = version + 1
      from behind b
     where s.organization_id = :organization_id and s.subscription_id = b.subscription_id
    returning s.subscription_id, s.status
)
insert into event (organization_id, kind, subject_id, occurred_at, actor, request_id, facts)
select :organization_id, 'subscription.' || status, subscription_id, :now, :actor, :request_id,
       jsonb_build_object('plan', :plan_key::text, 'version', :plan_version::integer)
  from changed

-- cut_period: End the running period early, because other terms begin; one that began today vanishes.
with cut as (
    update period set ends_at = :starts_at
     where organization_id = :organization_id and subscription_id = :subscription_id
       and starts_at < :starts_at and ends_at > :starts_at
)
delete from period
 where organization_id = :organization_id and subscription_id = :subscription_id and starts_at >= :starts_at

-- insert_period: Note that a period was begun.
insert into period (organization_id, subscription_id, starts_at, ends_at, number, plan_version_id, kind)
values (:organization_id, :subscription_id, :starts_at, :ends_at, :number, :plan_version_id, :kind)

-- upsert_pools: Give a subscription one shared pool per seat type; a pool that was there goes on under it.
insert into seat_pool (organization_id, pool_id, subscription_id, seat_type, rank, capacity, every_member, purchased,
    waiting, billed_at)
select :organization_id, t.pool_id, :subscription_id, t.seat_type, t.rank, :capacity, :every_member, 0,
       (select count(*)::integer from seat_request r where r.organization_id = :organization_id
            and r.state = 'waiting' and (r.seat_type is null or r.seat_type = t.seat_type)), :now
  from unnest(:pool_ids::uuid[], :seat_types::text[], :ranks::integer[]) as t (pool_id, seat_type, rank)
on conflict (organization_id, seat_type) where payer_member_id is null do update
   set subscription_id = excluded.subscription_id, rank = excluded.rank, capacity = excluded.capacity,
       every_member = excluded.every_member

-- follow_ceiling: Block new seats above a coming plan's limit and above those of a change that is being paid for.
update seat_pool p
   set ceiling = coalesce((
        select min(case c.state when 'scheduled' then (c.effect ->> 'limit')::integer
                   else (c.effect -> 'ceilings' ->> p.seat_type)::integer end)
          from change c
         where c.organization_id = p.organization_id and c.subscription_id = p.subscription_id
           and c.state in ('scheduled', 'awaiting_payment')), :most)
 where p.organization_id = :organization_id and p.payer_member_id is null

-- set_ceiling: Block new seats above a coming plan's limit, or lift that block.
update seat_pool set ceiling = :ceiling
 where organization_id = :organization_id and payer_member_id is null

-- transfer: Move everyone who sits in one pool to another, and the holds of invitations with them.
with fresh as (
    select id, n from unnest(:ids::uuid[]) with ordinality as f (id, n)
), left_seats as (
    update assignment set ended_at = greatest(:now, assigned_at), ended_rule = 'transition'
     where organization_id = :organization_id and pool_id = :from_pool_id and ended_at is null
    returning member_id, ended_at
), released as (
    update hold set released_at = greatest(:now, held_at), outcome = 'released'
     where organization_id = :organization_id and pool_id = :from_pool_id and released_at is null
    returning invitation_id
), seated as (
    insert into assignment (organization_id, member_id, assignment_id, pool_id, assigned_at, rule)
    select :organization_id, l.member_id, f.id, :to_pool_id, l.ended_at, 'transition'
      from (select member_id, ended_at, row_number() over () as n, count(*) over () from left_seats) l
      join fresh f on f.n = l.n
    returning member_id, assignment_id
), told as (
    insert into event (organization_id, kind, subject_id, member_id, occurred_at, actor, request_id, facts)
    select :organization_id, 'seat.reassigned', s.assignment_id, s.member_id, :now, :actor, :request_id,
        jsonb_build_object('from', f.seat_type, 'to', t.seat_type, 'rule', 'transition')
      from seated s
      join seat_pool f on f.organization_id = :organization_id and f.pool_id = :from_pool_id
      join seat_pool t on t.organization_id = :organization_id and t.pool_id = :to_pool_id
), held as (
    insert into hold (organization_id, pool_id, hold_id, invitation_id, held_at)
    select :organization_id, :to_pool_id, f.id, r.invitation_id, :now
      from (select invitation_id, row_number() over () as n, count(*) over () from released) r
      join fresh f on f.n = r.n + (select count(*) from left_seats)
    returning 1
), counts as (
    select (select count(*) from seated)::integer as seats, (select count(*) from held)::integer as holds
), emptied as (
    update seat_pool p set assigned = p.assigned - c.seats, held = p.held - c.holds,
           state = case when p.assigned - c.seats + p.held - c.holds <= p.purchased then 'open' else p.state end
      from counts c
     where p.organization_id = :organization_id and p.pool_id = :from_pool_id
)
update seat_pool p set assigned = p.assigned + c.seats, held = p.held + c.holds,
       state = case when p.assigned + c.seats + p.held + c.holds > p.purchased then 'over_limit' else 'open' end
  from counts c
 where p.organization_id = :organization_id and p.pool_id = :to_pool_id

-- seat_everyone: Give every active member without a seat one of the pool, and every pending invitation a hold.
with fresh as (
    select id, n from unnest(:ids::uuid[]) with ordinality as f (id, n)
), unseated as (
    select m.member_id, row_number() over (order by m.member_id) as n
      from member m
     where m.organization_id = :organization_id and m.standing = 'active'
       and not exists (select 1 from assignment s where s.organization_id = m.organization_id
            and s.member_id = m.member_id and s.exclusivity_set = 'seat' and s.ended_at is null)
), unheld as (
    select i.invitation_id, row_number() over (order by i.invitation_id) as n
      from invitation i
     where i.organization_id = :organization_id and i.state = 'pending' and :hold_invitations
       and not exists (select 1 from hold h where h.organization_id = i.organization_id
            and h.invitation_id = i.invitation_id and h.released_at is null)
), seated as (
    insert into assignment (organization_id, member_id, assignment_id, pool_id, assigned_at, rule)
    select :organization_id, u.member_id, f.id, :pool_id,
        greatest(:now, (select max(coalesce(e.ended_at, e.assigned_at)) from assignment e
            where e.organization_id = :organization_id and e.member_id = u.member_id)), 'every_member'
      from unseated u join fresh f on f.n = u.n
    returning member_id, assignment_id
), told as (
    insert into event (organization_id, kind, subject_id, member_id, occurred_at, actor, request_id, facts)
    select :organization_id, 'seat.assigned', s.assignment_id, s.member_id, :now, :actor, :request_id,
        jsonb_build_object('seat_type', p.seat_type, 'rule', 'every_member')
      from seated s
      join seat_pool p on p.organization_id = :organization_id and p.pool_id = :pool_id
), held as (
    insert into hold (organization_id, pool_id, hold_id, invitation_id, held_at)
    select :organization_id, :pool_id, f.id, u.invitation_id, :now
      from unheld u join fresh f on f.n = u.n + (select count(*) from unseated)
    returning 1
), counts as (
    select (select count(*) from seated)::integer as seats, (select count(*) from held)::integer as holds
)
update seat_pool p set assigned = p.assigned + c.seats, held = p.held + c.holds,
       state = case when p.assigned + c.seats + p.held + c.holds > p.purchased then 'over_limit' else 'open' end
  from counts c
 where p.organization_id = :organization_id and p.pool_id = :pool_id

-- people: How many members and pending invitations need seats.
select (select count(*) from member where organization_id = :organization_id and standing = 'active')::integer
           as members,
       (select count(*) from invitation where organization_id = :organization_id and state = 'pending')::integer
           as invited

-- plan_for_sale: The newest version of a plan that is on offer.
select plan_version_id, catalog_key, plan_key, version, document
  from plan_version
 where plan_key = :plan_key and catalog_key = :catalog_key and retired_at is null
 order by version desc
 limit 1

-- tried: Whether the organization ever had a trial or paid anything.
select exists (select 1 from period where organization_id = :organization_id and kind = 'trial')
    or exists (select 1 from invoice where organization_id = :organization_id and state = 'paid'
            and subtotal_minor > 0) as tried

-- debts: Open invoices of the organization, past their date, of this subscription or an earlier one; a bounded number.
select i.invoice_id
  from invoice i
  join subscription s on s.organization_id = i.organization_id and s.subscription_id = i.subscription_id
 where i.organization_id = :organization_id and s.payer_member_id is null and i.state = 'open' and i.due_at <= :now
   and not exists (select 1 from change c where c.organization_id = i.organization_id
        and c.invoice_id = i.invoice_id and c.state = 'awaiting_payment')
 order by i.due_at, i.invoice_id
 limit 20

-- owes: Whether the organization owes anything that is past its date, also for a subscription that has ended.
select exists (select 1 from invoice i
     join subscription s on s.organization_id = i.organization_id and s.subscription_id = i.subscription_id
    where i.organization_id = :organization_id and s.payer_member_id is null and i.state = 'open'
      and i.due_at < :now) as found

-- plan_before: The plan on which whoever still sits in the organization's own pools came to their seat.
select s.plan_version_id
  from seat_pool p
  join subscription s on s.organization_id = p.organization_id and s.subscription_id = p.subscription_id
 where p.organization_id = :organization_id and p.payer_member_id is null and p.assigned + p.held > 0
 order by s.started_at desc, s.subscription_id desc
 limit 1

-- drop_incomplete: End a subscription whose first payment failed.
update subscription set status = 'ended', ended_at = :now, due_at = null, version = version + 1
 where organization_id = :organization_id and subscription_id = :subscription_id and status = 'incomplete'

-- billing_method: With what an invoice is paid: by the paying member, else by the organization.
select coalesce(s.payment_method, case when s.payer_member_id is null then o.payment_method end) as payment_method
  from invoice i
  join subscription s on s.organization_id = i.organization_id and s.subscription_id = i.subscription_id
  join organization o on o.organization_id = i.organization_id
 where i.organization_id = :organization_id and i.invoice_id = :invoice_id

-- awaiting_invoice: The change that waits for an invoice to be paid.
select change_id from change
 where organization_id = :organization_id and invoice_id = :invoice_id and state = 'awaiting_payment'

-- fail_awaiting: Fail the change that waited for an invoice, and the subscription it would have begun.
with failed as (
    update change set state = 'failed', closed_at = :now, failure = '{"code": "payment_declined"}',
           version = version + 1
     where organization_id = :organization_id and invoice_id = :invoice_id and state = 'awaiting_payment'
    returning subscription_id
)
update subscription s set status = 'ended', ended_at = :now, due_at = null, version = s.version + 1
  from failed f
 where s.organization_id = :organization_id and s.subscription_id = f.subscription_id and s.status = 'incomplete'

-- lock_subscriptions: Lock what the organization is subscribed to, before its invoices change.
select subscription_id from subscription
 where organization_id = :organization_id and payer_member_id is null and status <> 'ended'
 order by subscription_id
   for no key update

-- recover: A subscription in arrears with nothing overdue left is active again.
with recovered as (
    update subscription s
       set status = case when s.cancel_at is null then 'active' else 'canceling' end, past_due_since = null,
           grace_ends_at = null, due_at = least(s.period_ends_at, coalesce(s.cancel_at, s.period_ends_at)),
           version = s.version + 1
     where s.organization_id = :organization_id and s.subscription_id = :subscription_id and s.status = 'past_due'
       and not exists (select 1 from invoice i where i.organization_id = s.organization_id
            and i.subscription_id = s.subscription_id and i.state = 'open' and i.due_at < :now)
    returning s.subscription_id
)
insert into event (organization_id, kind, subject_id, occurred_at, actor, request_id)
select :organization_id, 'subscription.active', subscription_id, :now, :actor, :request_id from recovered

-- purchased: Purchased seats per type of the organization's own subscription.
select seat_type, purchased from seat_pool
 where organization_id = :organization_id and payer_member_id is null and purchased > 0
 order by rank desc, seat_type
