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

-- lock: One payment, locked.
select payment_id, invoice_id, provider, method, provider_key, provider_reference, state, amount_minor, currency,
       failure, attempted_at, settled_at
  from payment where organization_id = :organization_id and payment_id = :payment_id
   for no key update

-- of_invoice: The payments of an invoice, newest first.
select payment_id, invoice_id, provider, method, provider_key, provider_reference, state, amount_minor, currency,
       failure, attempted_at, settled_at
  from payment where organization_id = :organization_id and invoice_id = :invoice_id
 order by payment_id desc

-- page: Payments, newest first.
select payment_id, invoice_id, provider, method, provider_key, provider_reference, state, amount_minor, currency,
       failure, attempted_at, settled_at
  from payment
 where organization_id = :organization_id and (:after::uuid is null or payment_id < :after)
 order by payment_id desc
 limit :page

-- give_up: Close the payments of an invoice that is not wanted any more.
update payment set state = 'canceled', settled_at = :now
 where organization_id = :organization_id and invoice_id = :invoice_id
   and state in ('pending', 'unknown', 'action_required')
