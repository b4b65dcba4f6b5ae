-- account: Lock the counters and the balance behind an organization's invoices; always the last lock.
select invoice_prefix, invoice_count, credit_note_count, balance_minor
  from billing_account where organization_id = :organization_id
   for no key update

-- lines_since: The lines of a subscription since an instant, among the newest invoices of its organization.
select count(*)::integer as found
  from (select organization_id, invoice_id, subscription_id, created_at from invoice
         where organization_id = :organization_id
         order by invoice_id desc limit :most) i
  join invoice_line l on l.organization_id = i.organization_id and l.invoice_id = i.invoice_id
 where i.subscription_id = :subscription_id and i.created_at >= :since

-- member_balance: What the vendor owes a member; read behind the lock of the billing account.
select balance_minor from member_account where organization_id = :organization_id and member_id = :member_id

-- insert: Write an invoice with its lines, its number if it is issued at once, and the balance of the payer it uses.
with counted as (
    update billing_account
       set invoice_count = invoice_count + case when :state::text = 'draft' then 0 else 1 end,
           balance_minor = balance_minor
               + case when :payer_member_id::uuid is null then :carried_minor::bigint - :balance_minor::bigint else 0 end
     where organization_id = :organization_id
    returning invoice_prefix || '-' || lpad(invoice_count::text, greatest(6, length(invoice_count::text)), '0')
        as number
), spent as (
    update member_account set balance_minor = balance_minor - :balance_minor
     where organization_id = :organization_id and member_id = :payer_member_id and :balance_minor > 0
), kept as (
    insert into member_account (organization_id, member_id, balance_minor)
    select :organization_id, :payer_member_id, :carried_minor
     where :payer_member_id is not null and :carried_minor > 0
    on conflict (organization_id, member_id) do update
       set balance_minor = member_account.balance_minor + excluded.balance_minor
), made as (
    insert into invoice (organization_id, invoice_id, subscription_id, number, state, cause, cause_id, currency,
        subtotal_minor, balance_minor, due_minor, created_at, issued_at, due_at, closed_at, next_attempt_at,
        timeline)
    select :organization_id, :invoice_id, :subscription_id,
        case when :state = 'draft' then null else c.number end,
        :state, :cause, :cause_id, :currency, :subtotal_minor, :balance_minor, :due_minor, :now,
        case when :state = 'draft' then null else :now::timestamptz end, :due_at,
        case when :state = 'paid' then :now::timestamptz end, :next_attempt_at,
        (select timeline from organization where organization_id = :organization_id)
      from counted c
    returning organization_id, invoice_id, number
), lined as (
    insert into invoice_line (organization_id, invoice_id, line_number, kind, seat_type, plan_key, plan_version,
        price_key, quantity, quantity_before, unit_minor, part, whole, basis, full_minor, amount_minor,
        period_starts_at, period_ends_at, effective_at, assigned, held, discount_basis_points,
        discount_fixed_minor)
    select m.organization_id, m.invoice_id, l.* from made m, unnest(:line_numbers::integer[], :kinds::text[],
        :seat_types::text[], :plan_keys::text[], :plan_versions::integer[], :price_keys::text[],
        :quantities::integer[], :quantities_before::integer[], :units::bigint[], :parts::bigint[],
        :wholes::bigint[], :bases::text[], :fulls::bigint[], :amounts::bigint[], :starts::timestamptz[],
        :ends::timestamptz[], :effectives::timestamptz[], :assigned::integer[], :held::integer[],
        :discounts::integer[], :fixed::bigint[]) as l
), used as (
    insert into balance_entry (organization_id, entry_id, amount_minor, currency, reason, invoice_id, member_id,
        created_at)
    select m.organization_id, b.entry_id, b.amount, :currency, b.reason, m.invoice_id, :payer_member_id, :now
      from made m, (values (:used_entry_id::uuid, -:balance_minor::bigint, 'used on invoice'),
                           (:carried_entry_id::uuid, :carried_minor::bigint, 'carried from invoice'))
           as b (entry_id, amount, reason)
     where b.amount <> 0
), told as (
    insert into event (organization_id, kind, subject_id, occurred_at, actor, request_id, facts)
    select organization_id, 'invoice.' || case when :state = 'paid' then 'paid' else 'opened' end, invoice_id, :now,
        :actor, :request_id, jsonb_build_object('number', number, 'due_minor', :due_minor::bigint,
            'currency', :currency::text)
      from made where :state <> 'draft'
)
select number from made

-- finalize: Give a draft its number and state; no row when it is no draft any more.
with counted as (
    update billing_account set invoice_count = invoice_count + 1
     where organization_id = :organization_id and exists (
        select 1 from invoice where organization_id = :organization_id and invoice_id = :invoice_id
           and state = 'draft')
    returning invoice_prefix || '-' || lpad(invoice_count::text, greatest(6, length(invoice_count::text)), '0')
        as number
), made as (
    update invoice i
       set number = c.number, state = :state,
           issued_at = :now, due_at = coalesce(i.due_at, :now),
           closed_at = case when :state = 'paid' then :now::timestamptz end
      from counted c
     where i.organization_id = :organization_id and i.invoice_id = :invoice_id and i.state = 'draft'
    returning i.organization_id, i.invoice_id, i.number, i.due_minor, i.currency
), told as (
    insert into event (organization_id, kind, subject_id, occurred_at, actor, request_id, facts)
    select organization_id, 'invoice.' || case when :state = 'paid' then 'paid' else 'opened' end, invoice_id, :now,
        :actor, :request_id, jsonb_build_object('number', number, 'due_minor', due_minor, 'currency', currency)
      from made
)
select number from made

-- seal: Keep the content hashes of finalized invoices, with which any later edit is found.
update invoice i set content_hash = s.content_hash
  from unnest(:organization_ids::uuid[], :invoice_ids::uuid[]) as a (organization_id, invoice_id)
  join invoice_seal s on s.organization_id = a.organization_id and s.invoice_id = a.invoice_id
 where i.organization_id = a.organization_id and i.invoice_id = a.invoice_id and i.content_hash is null

-- discard: Drop a draft that will not be paid, and give back the balance it had used.
with dropped as (
    update invoice i set state = 'discarded', closed_at = :now
      from subscription s
     where i.organization_id = :organization_id and i.invoice_id = :invoice_id and i.state = 'draft'
       and s.organization_id = i.organization_id and s.subscription_id = i.subscription_id
    returning i.organization_id, i.invoice_id, i.balance_minor, i.currency, s.payer_member_id
), returned as (
    update billing_account b set balance_minor = b.balance_minor + d.balance_minor
      from dropped d
     where b.organization_id = :organization_id and d.balance_minor > 0 and d.payer_member_id is null
), returned_to_member as (
    update member_account m set balance_minor = m.balance_minor + d.balance_minor
      from dropped d
     where m.organization_id = :organization_id and m.member_id = d.payer_member_id and d.balance_minor > 0
)
insert into balance_entry (organization_id, entry_id, amount_minor, currency, reason, invoice_id, member_id, created_at)
select :organization_id, :entry_id, balance_minor, currency, 'returned from invoice', invoice_id, payer_member_id, :now
  from dropped where balance_minor > 0

-- void: Take back an open invoice, with the balance it had used; no row when it is not open.
with voided as (
    update invoice i set state = 'void', closed_at = :now, next_attempt_at = null
      from subscription s
     where i.organization_id = :organization_id and i.invoice_id = :invoice_id and i.state = 'open'
       and s.organization_id = i.organization_id and s.subscription_id = i.subscription_id
    returning i.organization_id, i.invoice_id, i.balance_minor, i.currency, i.number, s.payer_member_id
), returned as (
    update billing_account b set balance_minor = b.balance_minor + v.balance_minor
      from voided v
     where b.organization_id = :organization_id and v.balance_minor > 0 and v.payer_member_id is null
), returned_to_member as (
    update member_account m set balance_minor = m.balance_minor + v.balance_minor
      from voided v
     where m.organization_id = :organization_id and m.member_id = v.payer_member_id and v.balance_minor > 0
), noted as (
    insert into balance_entry (organization_id, entry_id, amount_minor, currency, reason, invoice_id, member_id,
        created_at)
    select organization_id, :entry_id, balance_minor, currency, 'returned from invoice', invoice_id, payer_member_id,
        :now
      from voided where balance_minor > 0
), told as (
    insert into event (organization_id, kind, subject_id, occurred_at, actor, request_id, facts)
    select organization_id, 'invoice.voided', invoice_id, :now, :actor, :request_id,
        jsonb_build_object('number', number)
      from voided
)
select invoice_id from voided

-- pay: Close an open invoice as paid; no row when it is not open.
with paid as (
    update invoice set state = 'paid', closed_at = :now, next_attempt_at = null
     where organization_id = :organization_id and invoice_id = :invoice_id and state = 'open'
    returning organization_id, invoice_id, subscription_id, number, due_minor, currency
), told as (
    insert into event (organization_id, kind, subject_id, occurred_at, actor, request_id, facts)
    select organization_id, 'invoice.paid', invoice_id, :now, :actor, :request_id,
        jsonb_build_object('number', number, 'due_minor', due_minor, 'currency', currency)
      from paid
)
select subscription_id from paid

-- lock: One invoice, locked, and whether something of it was credited.
select invoice_id, subscription_id, number, state, cause, cause_id, currency, subtotal_minor, tax_minor,
       balance_minor, due_minor, created_at, issued_at, due_at, closed_at, attempts, next_attempt_at,
       exists (select 1 from credit_note n where n.organization_id = :organization_id
            and n.invoice_id = :invoice_id) as credited
  from invoice where organization_id = :organization_id and invoice_id = :invoice_id
   for no key update

-- one: One invoice.
select invoice_id, subscription_id, number, state, cause, cause_id, currency, subtotal_minor, tax_minor,
       balance_minor, due_minor, created_at, issued_at, due_at, closed_at, attempts, next_attempt_at
  from invoice where organization_id = :organization_id and invoice_id = :invoice_id

-- page: Invoices that went out, of one state or all, newest first.
select i.invoice_id, i.subscription_id, i.number, i.state, i.cause, i.cause_id, i.currency, i.subtotal_minor,
       i.tax_minor, i.balance_minor, i.due_minor, i.created_at, i.issued_at, i.due_at, i.closed_at, i.attempts,
       i.next_attempt_at
  from (values ('open'), ('paid'), ('void')) as went_out (state)
 cross join lateral (
        select * from invoice v
         where v.organization_id = :organization_id and v.state = went_out.state and v.invoice_id < :before
         order by v.invoice_id desc limit :page) i
 where :state::text is null or went_out.state = :state
 order by i.invoice_id desc
 limit :page

-- lines: The lines of some invoices, in order.
select invoice_id, line_number, kind, seat_type, plan_key, plan_version, price_key, quantity, quantity_before,
       unit_minor, part, whole, basis, full_minor, amount_minor, period_starts_at, period_ends_at, effective_at,
       assigned, held, discount_basis_points, discount_fixed_minor
  from invoice_line
 where organization_id = :organization_id and invoice_id = any(:invoice_ids::uuid[])
 order by invoice_id, line_number

-- billed: What the lines of a period bill, added up where they are alike, but for invoices that were taken back.
with noted as (
    select organization_id, invoice_id, sum(amount_minor)::bigint as noted_minor
      from credit_note where organization_id = :organization_id
     group by organization_id, invoice_id
), corrected as (
    select n.organization_id, n.invoice_id, n.noted_minor, sum(l.amount_minor)::bigint as charged_minor
      from noted n
      join invoice_line l on l.organization_id = n.organization_id and l.invoice_id = n.invoice_id
           and l.amount_minor > 0
     group by n.organization_id, n.invoice_id, n.noted_minor
), begun as (
    -- Ids are in the order of time, so the latest invoice with period lines begins what runs now.
    select i.invoice_id
      from invoice i
      join invoice_line l on l.organization_id = i.organization_id and l.invoice_id = i.invoice_id
     where i.organization_id = :organization_id and i.subscription_id = :subscription_id
       and i.state in ('open', 'paid', 'void') and l.kind in ('base', 'seats', 'credit')
       and l.period_starts_at = any(:starts::timestamptz[]) and l.period_ends_at = any(:ends::timestamptz[])
     order by i.invoice_id desc
     limit 1
)
select v.plan_version_id, l.seat_type, l.discount_basis_points,
       l.kind in ('added_seats', 'returned_seats') and l.effective_at = :today as is_today,
       l.kind <> 'credit' and not exists (select 1 from begun b where b.invoice_id > i.invoice_id) as is_running,
       coalesce(c.noted_minor, 0) as noted_minor, coalesce(c.charged_minor, 0) as charged_minor,
       sum(l.full_minor)::bigint as full_minor, sum(l.discount_fixed_minor)::bigint as fixed_minor,
       sum(l.amount_minor)::bigint as amount_minor
  from invoice i
  join invoice_line l on l.organization_id = i.organization_id and l.invoice_id = i.invoice_id
  join plan_version v on v.plan_key = l.plan_key and v.version = l.plan_version
  left join corrected c on c.organization_id = i.organization_id and c.invoice_id = i.invoice_id
 where i.organization_id = :organization_id and i.subscription_id = :subscription_id and i.state in ('open', 'paid')
   and l.period_starts_at = any(:starts::timestamptz[]) and l.period_ends_at = any(:ends::timestamptz[])
   and l.kind <> 'carried_to_balance'
 group by v.plan_version_id, l.seat_type, l.discount_basis_points, is_today, is_running, c.noted_minor, c.charged_minor,
       l.full_minor > 0
 order by v.plan_version_id, l.seat_type, l.discount_basis_points, is_today, c.noted_minor, c.charged_minor

-- left: What an invoice charges, and how much of that still stands in the periods it charges for.
with own as (
    select i.subscription_id, l.period_starts_at, l.period_ends_at, sum(l.amount_minor) as charged_minor
      from invoice i
      join invoice_line l on l.organization_id = i.organization_id and l.invoice_id = i.invoice_id
           and l.amount_minor > 0 and l.kind <> 'carried_to_balance'
     where i.organization_id = :organization_id and i.invoice_id = :invoice_id
     group by i.subscription_id, l.period_starts_at, l.period_ends_at
), noted as (
    select organization_id, invoice_id, sum(amount_minor) as noted_minor
      from credit_note where organization_id = :organization_id
     group by organization_id, invoice_id
), corrected as (
    select n.invoice_id, n.noted_minor / sum(l.amount_minor) as part
      from noted n
      join invoice_line l on l.organization_id = n.organization_id and l.invoice_id = n.invoice_id
           and l.amount_minor > 0
     group by n.invoice_id, n.noted_minor
), standing as (
    select o.period_starts_at, o.period_ends_at, o.charged_minor,
           sum(l.amount_minor * case when l.amount_minor > 0 then 1 - coalesce(c.part, 0) else 1 end) as stands_minor
      from own o
      join invoice i on i.organization_id = :organization_id and i.subscription_id = o.subscription_id
           and i.state in ('open', 'paid')
      join invoice_line l on l.organization_id = i.organization_id and l.invoice_id = i.invoice_id
           and l.period_starts_at = o.period_starts_at and l.period_ends_at = o.period_ends_at
           and l.kind <> 'carried_to_balance'
      left join corrected c on c.invoice_id = i.invoice_id
     group by o.period_starts_at, o.period_ends_at, o.charged_minor
)
-- Numbers are divided to sixteen digits; a unit is never off by that much.
select coalesce(sum(charged_minor), 0)::bigint as charged_minor,
       coalesce(floor(sum(greatest(least(charged_minor, stands_minor), 0)) + 0.000001), 0)::bigint as left_minor
  from standing

-- balance: What the vendor owes the organization, and how it came about, newest first.
select entry_id, amount_minor, currency, reason, invoice_id, credit_note_id, payment_id, created_at
  from balance_entry
 where organization_id = :organization_id and member_id is null and entry_id < :before
 order by entry_id desc
 limit :page

-- grant: Credit the balance of who pays the invoice, or the organization's where there is none, with its entry.
with payer as (
    select :organization_id::uuid as organization_id, (
        select s.payer_member_id from invoice i
          join subscription s on s.organization_id = i.organization_id and s.subscription_id = i.subscription_id
         where i.organization_id = :organization_id and i.invoice_id = :invoice_id) as member_id
), granted as (
    update billing_account b set balance_minor = b.balance_minor + :amount_minor
      from payer p
     where b.organization_id = p.organization_id and p.member_id is null
), granted_to_member as (
    insert into member_account (organization_id, member_id, balance_minor)
    select organization_id, member_id, :amount_minor from payer where member_id is not null
    on conflict (organization_id, member_id) do update
       set balance_minor = member_account.balance_minor + excluded.balance_minor
)
insert into balance_entry (organization_id, entry_id, amount_minor, currency, reason, invoice_id, credit_note_id,
    member_id, created_at)
select organization_id, :entry_id, :amount_minor, :currency, :reason, :invoice_id, :credit_note_id, member_id, :now
  from payer

-- credited: What credit notes have already taken from an invoice.
select coalesce(sum(amount_minor), 0)::bigint as credited_minor
  from credit_note where organization_id = :organization_id and invoice_id = :invoice_id

-- credit_note: Write a credit note with the next number of its series.
with counted as (
    update billing_account set credit_note_count = credit_note_count + 1
     where organization_id = :organization_id
    returning invoice_prefix || '-CN-'
        || lpad(credit_note_count::text, greatest(6, length(credit_note_count::text)), '0') as number
)
insert into credit_note (organization_id, credit_note_id, invoice_id, number, currency, amount_minor, reason, cause,
    cause_id, created_at)
select :organization_id, :credit_note_id, :invoice_id,
       number, :currency, :amount_minor, :reason, :cause,
       :cause_id, :now
  from counted
returning number

-- credit_notes: Credit notes, newest first.
select credit_note_id, invoice_id, number, currency, amount_minor, reason, created_at
  from credit_note
 where organization_id = :organization_id and credit_note_id < :before
 order by credit_note_id desc
 limit :page

-- overdue: Whether an issued invoice is past its date.
select exists (select 1 from invoice where organization_id = :organization_id and state = 'open'
    and due_at < :now) as found

-- balance_now: The balance as it is now.
select balance_minor from billing_account where organization_id = :organization_id
