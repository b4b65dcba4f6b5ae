-- sandbox_charge: The sandbox's own books: charge once per key; `fresh` when this call was the first.
with tried as (
    insert into sandbox_charge (provider_key, amount_minor, currency, outcome, charged_at)
    values (:provider_key, :amount_minor, :currency, :outcome, :now)
    on conflict (provider_key) do nothing
    returning outcome
)
select outcome, true as fresh from tried
union all
select outcome, false from sandbox_charge
 where provider_key = :provider_key and not exists (select 1 from tried)

-- sandbox_find: What the sandbox knows of a key.
select outcome from sandbox_charge where provider_key = :provider_key

-- sandbox_confirm: The payer confirms a charge that waited for it.
update sandbox_charge
   set outcome = case when outcome = 'action_required' then 'succeeded' else outcome end
 where provider_key = :provider_key
returning outcome

-- insert: Note that a payment is about to be asked for, before it is.
insert into payment (organization_id, payment_id, invoice_id, provider, method, provider_key, state, amount_minor,
    currency, attempted_at)
values (:organization_id, :payment_id, :invoice_id, :provider, :method, :provider_key, 'pending', :amount_minor,
    :currency, :now)

-- settle: Note what became of a payment; no row when that is known already.
update payment
   set state = :state, provider_reference = coalesce(:reference, provider_reference), failure = :failure,
       settled_at = case when :state::text in ('succeeded', 'declined', 'canceled') then :now::timestamptz end
 where organization_id = :organization_id and payment_id = :payment_id
   and state in ('pending', 'unknown', 'action_required')
returning payment_id

-- credit: Note the success of a payment that pays nothing any more, its money as credit of who paid; once.
with late as (
    update payment set state = 'succeeded', credited = true, failure = null, settled_at = :now,
           provider_reference = coalesce(:reference, provider_reference)
     where organization_id = :organization_id and payment_id = :payment_id and state <> 'succeeded'
    returning organization_id, payment_id, invoice_id, amount_minor, currency
), owned as (
    select l.*, s.payer_member_id as member_id
      from late l
      join invoice i on i.organization_id = l.organization_id and i.invoice_id = l.invoice_id
      join subscription s on s.organization_id = i.organization_id and s.subscription_id = i.subscription_id
), granted as (
    update billing_account b set balance_minor = b.balance_minor + o.amount_minor
      from owned o
     where b.organization_id = o.organization_id and o.member_id is null
), granted_to_member as (
    insert into member_account (organization_id, member_id, balance_minor)
    select organization_id, member_id, amount_minor from owned where member_id is not null
    on conflict (organization_id, member_id) do update
       set balance_minor = member_account.balance_minor + excluded.balance_minor
), noted as (
    insert into balance_entry (organization_id, entry_id, amount_minor, currency, reason, invoice_id, payment_id,
        member_id, created_at)
    select organization_id, :entry_id, amount_minor, currency, 'payment came late', invoice_id, payment_id, member_id,
        :now
      from owned
)
insert into event (organization_id, kind, subject_id, member_id, occurred_at, actor, request_id, facts)
select organization_id, 'payment.credited', payment_id, member_id, :now, :actor, :request_id,
       jsonb_build_object('invoice', :invoice::text, 'amount_minor', amount_minor, 'currency', currency)
  from owned

-- from_balance: Pay an open invoice with what the vendor owes its payer; no row where that is not enough.
with owed as (
    select i.organization_id, i.invoice_id, i.due_minor, i.currency, s.payer_member_id as member_id
      from invoice i
      join subscription s on s.organization_id = i.organization_id and s.subscription_id = i.subscription_id
     where i.organization_id = :organization_id and i.invoice_id = :invoice_id and i.state = 'open'
), spent as (
    update billing_account b set balance_minor = b.balance_minor - o.due_minor
      from owed o
     where b.organization_id = o.organization_id and o.member_id is null and b.balance_minor >= o.due_minor
    returning o.*
), spent_by_member as (
    update member_account m set balance_minor = m.balance_minor - o.due_minor
      from owed o
     where m.organization_id = o.organization_id and m.member_id = o.member_id and m.balance_minor >= o.due_minor
    returning o.*
), taken as (
    select * from spent union all select * from spent_by_member
), made as (
    insert into payment (organization_id, payment_id, invoice_id, provider, method, provider_key, state, amount_minor,
        currency, attempted_at, settled_at)
    select organization_id, :payment_id, invoice_id, 'balance', 'balance', :provider_key, 'succeeded', due_minor,
        currency, :now, :now
      from taken
    returning payment_id
), noted as (
    insert into balance_entry (organization_id, entry_id, amount_minor, currency, reason, invoice_id, payment_id,
        member_id, created_at)
    select organization_id, :entry_id, -due_minor, currency, 'paid an invoice', invoice_id, :payment_id, member_id, :now
      from taken
)
select payment_id from made

-- covered: Open invoices that are about to be tried although the balance of who pays them is enough, oldest first.
select i.organization_id, i.invoice_id, o.catalog_key, o.currency, o.time_zone, o.clock_id
  from invoice i
  join organization o on o.organization_id = i.organization_id
  join subscription s on s.organization_id = i.organization_id and s.subscription_id = i.subscription_id
  join billing_account b on b.organization_id = i.organization_id
  left join member_account m on m.organization_id = i.organization_id and m.member_id = s.payer_member_id
 where i.timeline = timeline_of(:clock_id) and i.next_attempt_at <= :now and o.parked_at is null
   and i.due_minor <= case when s.payer_member_id is null then b.balance_minor else m.balance_minor end
 order by i.next_attempt_at
 limit :most

-- lock: One payment, locked.
select payment_id, invoice_id, provider, method, provider_key, provider_reference, state, amount_minor, currency,
       failure, attempted_at, settled_at, credited
  from payment where organization_id = :organization_id and payment_id = :payment_id
   for no key update

-- of_invoice: The payments of an invoice, newest first.
select payment_id, invoice_id, provider, method, provider_key, provider_reference, state, amount_minor, currency,
       failure, attempted_at, settled_at, credited
  from payment where organization_id = :organization_id and invoice_id = :invoice_id
 order by payment_id desc

-- too_late: The invoice of a change that waits for its payment although its subscription has come due; else no row.
select c.invoice_id
  from change c
  join subscription s on s.organization_id = c.organization_id and s.subscription_id = c.subscription_id
 where c.organization_id = :organization_id and c.state = 'awaiting_payment' and s.due_at <= :now
   and c.invoice_id = coalesce(:invoice_id::uuid, (
        select p.invoice_id from payment p
         where p.organization_id = :organization_id and p.payment_id = :payment_id::uuid
           and p.state = 'action_required'))

-- page: Payments, newest first.
select payment_id, invoice_id, provider, method, provider_key, provider_reference, state, amount_minor, currency,
       failure, attempted_at, settled_at, credited
  from payment
 where organization_id = :organization_id and payment_id < :before
 order by payment_id desc
 limit :page

-- give_up: Close the payments of an invoice that is not wanted any more.
update payment set state = 'canceled', settled_at = :now
 where organization_id = :organization_id and invoice_id = :invoice_id
   and state in ('pending', 'unknown', 'action_required')
