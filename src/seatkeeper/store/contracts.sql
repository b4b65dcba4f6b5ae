-- insert: Begin a contract and put its subscription under it, with what was agreed.
with made as (
    insert into contract (organization_id, contract_id, subscription_id, kind, state, account_manager, net_terms_days,
        overdue_grace_days, signed_until, created_at)
    values (:organization_id, :contract_id, :subscription_id, :kind, 'active', :account_manager, :net_terms_days,
        :overdue_grace_days, :signed_until, :now)
    returning organization_id, contract_id, subscription_id
)
update subscription s set contract_id = m.contract_id, overrides = :overrides
  from made m
 where s.organization_id = :organization_id and s.subscription_id = m.subscription_id

-- current: The newest contract of an organization, with what is agreed, or was when it ended.
select c.contract_id, c.subscription_id, c.kind, c.state, c.account_manager, c.net_terms_days, c.overdue_grace_days,
       c.next_terms, c.signed_until, c.unsigned_since, c.created_at, c.ended_at, c.version,
       case when c.last_terms is null then s.overrides else nullif(c.last_terms -> 'overrides', 'null') end as overrides,
       coalesce((c.last_terms ->> 'plan_version_id')::uuid, s.plan_version_id) as plan_version_id,
       coalesce(c.last_terms ->> 'price_key', s.price_key) as price_key, c.last_terms -> 'seats' as last_seats
  from contract c
  join subscription s on s.organization_id = c.organization_id and s.subscription_id = c.subscription_id
 where c.organization_id = :organization_id
 order by c.contract_id desc
 limit 1

-- lock: The contract of a locked subscription that has not ended, locked.
select c.contract_id, c.subscription_id, c.kind, c.state, c.account_manager, c.net_terms_days, c.overdue_grace_days,
       c.next_terms, c.signed_until, c.unsigned_since, c.created_at, c.version, s.overrides, s.plan_version_id, s.price_key
  from contract c
  join subscription s on s.organization_id = c.organization_id and s.subscription_id = c.subscription_id
 where c.organization_id = :organization_id and c.subscription_id = :subscription_id and c.state <> 'ended'
   for no key update of c

-- of_subscription: The contract of a subscription that has not ended.
select c.contract_id, c.subscription_id, c.kind, c.state, c.account_manager, c.net_terms_days, c.overdue_grace_days,
       c.next_terms, c.signed_until, c.unsigned_since, c.created_at, c.version, s.overrides, s.plan_version_id, s.price_key
  from contract c
  join subscription s on s.organization_id = c.organization_id and s.subscription_id = c.subscription_id
 where c.organization_id = :organization_id and c.subscription_id = :subscription_id and c.state <> 'ended'

-- change_details: Name another account manager or other payment terms for what is invoiced from now on.
update contract
   set account_manager = :account_manager, net_terms_days = :net_terms_days,
       overdue_grace_days = :overdue_grace_days, version = version + 1
 where organization_id = :organization_id and contract_id = :contract_id

-- sign: Keep the terms that are signed for the time after the running term.
update contract set next_terms = :next_terms, version = version + 1
 where organization_id = :organization_id and contract_id = :contract_id

-- begin_signed: What was signed begins: the contract is active on it until its own end.
update contract
   set state = 'active', next_terms = null, unsigned_since = null, kind = :kind, net_terms_days = :net_terms_days,
       overdue_grace_days = :overdue_grace_days, signed_until = :signed_until, version = version + 1
 where organization_id = :organization_id and contract_id = :contract_id

-- wait: Nothing is signed: the subscription stands as it is until the grace is over.
with waiting as (
    update subscription set due_at = :lapses_at
     where organization_id = :organization_id and subscription_id = :subscription_id
    returning subscription_id
)
update contract c
   set state = 'unsigned', unsigned_since = coalesce(c.unsigned_since, :now), version = c.version + 1
  from waiting w
 where c.organization_id = :organization_id and c.contract_id = :contract_id and c.subscription_id = w.subscription_id
   and c.state = 'active'
returning c.contract_id

-- make_due: Let the subscription of a contract that was signed in its grace go on at once.
update subscription set due_at = period_ends_at
 where organization_id = :organization_id and subscription_id = :subscription_id and due_at > period_ends_at

-- prolong_period: The last period of a subscription that ends after a grace lasted through it.
update period set ends_at = :now
 where organization_id = :organization_id and subscription_id = :subscription_id and ends_at = :ends_at
   and ends_at < :now

-- set_kind: A contract whose plan was changed inside its term binds and bills like the new one.
update contract set kind = :kind, version = version + 1
 where organization_id = :organization_id and subscription_id = :subscription_id and state <> 'ended' and kind <> :kind

-- end: End the contract of a subscription that ends or gets other terms next, and what was still open of it.
with ended as (
    update contract c
       set state = 'ended', ended_at = :now, version = c.version + 1,
           last_terms = jsonb_build_object('plan_version_id', s.plan_version_id, 'price_key', s.price_key,
               'overrides', s.overrides, 'seats', (select coalesce(jsonb_object_agg(p.seat_type, p.purchased), '{}')
                  from seat_pool p where p.organization_id = :organization_id and p.subscription_id = :subscription_id
                   and p.payer_member_id is null and p.purchased > 0))
      from subscription s
     where c.organization_id = :organization_id and c.subscription_id = :subscription_id and c.state <> 'ended'
       and s.organization_id = :organization_id and s.subscription_id = :subscription_id
    returning c.contract_id
), closed as (
    update amendment a set state = 'expired', closed_at = :now, version = a.version + 1
      from ended e
     where a.organization_id = :organization_id and a.contract_id = e.contract_id
       and a.state in ('requested', 'quoted', 'scheduled')
    returning a.amendment_id
), told as (
    insert into event (organization_id, kind, subject_id, occurred_at, actor, request_id)
    select :organization_id, t.kind, t.subject_id, :now, :actor, :request_id
      from (select 'contract.ended' as kind, contract_id as subject_id from ended
             union all
            select 'amendment.expired', amendment_id from closed) t
)
update subscription s set contract_id = null
  from ended e
 where s.organization_id = :organization_id and s.subscription_id = :subscription_id and s.contract_id = e.contract_id

-- set_overrides: Keep the amounts agreed for a subscription.
update subscription
   set overrides = :overrides,
       discount_basis_points = case when overrides is distinct from :overrides then 0 else discount_basis_points end
 where organization_id = :organization_id and subscription_id = :subscription_id

-- give_way: What waits for the day on which signed terms begin gives way to the plan and the seats they name.
with canceled as (
    update change set state = 'canceled', closed_at = :now, version = version + 1
     where organization_id = :organization_id and subscription_id = :subscription_id and state = 'scheduled'
       and effective_at >= :signed_until and (:names_seats::boolean or slot = 'plan')
    returning change_id
), closed as (
    update amendment a set state = 'expired', closed_at = :now, version = a.version + 1
      from canceled c
     where a.organization_id = :organization_id and a.change_id = c.change_id and a.state = 'scheduled'
    returning a.amendment_id
)
insert into event (organization_id, kind, subject_id, occurred_at, actor, request_id)
select :organization_id, 'amendment.expired', amendment_id, :now, :actor, :request_id from closed

-- settle: Close the scheduled amendments whose changes were carried out, or fell away.
with closed as (
    update amendment a
       set state = case when c.state = 'applied' then 'applied' else 'expired' end, closed_at = :now,
           version = a.version + 1
      from change c
     where a.organization_id = :organization_id and a.contract_id = :contract_id and a.state = 'scheduled'
       and c.organization_id = :organization_id and c.change_id = a.change_id
       and c.state not in ('scheduled', 'awaiting_payment')
    returning a.amendment_id, a.state
)
insert into event (organization_id, kind, subject_id, occurred_at, actor, request_id)
select :organization_id, 'amendment.' || state, amendment_id, :now, :actor, :request_id from closed

-- amendments_due: What was agreed in the amendments that these changes carry out, oldest first.
select amendment_id, terms, change_id
  from amendment
 where organization_id = :organization_id and contract_id = :contract_id and state = 'scheduled'
   and change_id = any(:change_ids::uuid[])
 order by amendment_id

-- amendment_insert: Ask for an amendment.
insert into amendment (organization_id, amendment_id, contract_id, state, terms, note, requested_by, created_at,
    expires_at, timeline)
values (:organization_id, :amendment_id, :contract_id, 'requested', :terms, :note, :requested_by, :now, :expires_at,
    (select timeline from organization where organization_id = :organization_id))

-- amendment_quote: Put a price and a validity on an amendment.
update amendment
   set state = 'quoted', terms = :terms, offer = :offer, quoted_by = :quoted_by, expires_at = :expires_at,
       effective_at = :effective_at, version = version + 1
 where organization_id = :organization_id and amendment_id = :amendment_id

-- amendment_accept: Note what was accepted, by whom, and the change that carries it out.
update amendment
   set state = :state, offer = :offer, decided_by = :decided_by, effective_at = :effective_at, change_id = :change_id,
       note = :note, expires_at = null, closed_at = case when :state = 'applied' then :now::timestamptz end,
       version = version + 1
 where organization_id = :organization_id and amendment_id = :amendment_id

-- amendment_decline: Close an amendment that is not wanted.
update amendment
   set state = 'declined', decided_by = :decided_by, note = :note, closed_at = :now, version = version + 1
 where organization_id = :organization_id and amendment_id = :amendment_id

-- amendment_lock: One amendment, locked; the caller holds its subscription's lock.
select amendment_id, contract_id, state, terms, note, offer, requested_by, quoted_by, decided_by, created_at, expires_at,
       effective_at, closed_at, change_id, version
  from amendment where organization_id = :organization_id and amendment_id = :amendment_id
   for no key update

-- amendment: One amendment.
select amendment_id, contract_id, state, terms, note, offer, requested_by, quoted_by, decided_by, created_at, expires_at,
       effective_at, closed_at, change_id, version
  from amendment where organization_id = :organization_id and amendment_id = :amendment_id

-- amendments: Amendments, of one state or all, newest first.
select amendment_id, contract_id, state, terms, note, offer, requested_by, quoted_by, decided_by, created_at, expires_at,
       effective_at, closed_at, change_id, version
  from ((select * from amendment
          where :state::text is null and organization_id = :organization_id and amendment_id < :before
          order by amendment_id desc limit :page)
        union all
        (select * from amendment
          where organization_id = :organization_id and state = :state and amendment_id < :before
          order by amendment_id desc limit :page)) a
 order by amendment_id desc
 limit :page

-- expire: Close amendments that nobody answered in time, a batch of one clock's organizations, oldest first.
with due as (
    select a.organization_id, a.amendment_id
      from amendment a
     where a.timeline = timeline_of(:clock_id) and a.state in ('quoted', 'requested') and a.expires_at <= :now
     order by a.expires_at
     limit :most
       for no key update skip locked
), closed as (
    update amendment a set state = 'expired', closed_at = :now, version = a.version + 1
      from due d
     where a.organization_id = d.organization_id and a.amendment_id = d.amendment_id
    returning a.organization_id, a.amendment_id
)
insert into event (organization_id, kind, subject_id, occurred_at, actor)
select organization_id, 'amendment.expired', amendment_id, :now, :actor from closed

-- unpark: Let the billing of an organization run again; periods up to the agreed instant may be billed late.
update organization
   set parked_at = null, parked_reason = null, catch_up_until = greatest(catch_up_until, :catch_up_until),
       version = version + 1
 where organization_id = :organization_id
