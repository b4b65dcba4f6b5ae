"""More mutants: of invoices, lines, payments and balances."""

from tests.invariants.mutants import mutant

PAID = """(select organization_id, invoice_id from invoice
    where state = 'paid' and due_minor > 0 order by invoice_id limit 1)"""
NOTE = """insert into credit_note (organization_id, credit_note_id, invoice_id, number, currency,
        amount_minor, reason, cause, cause_id, created_at)
    select i.organization_id, gen_random_uuid(), i.invoice_id, b.invoice_prefix || '-CN-000001',
        i.currency, 1, 'r', 'c', '1', i.created_at
      from invoice i join billing_account b using (organization_id)
     where (i.organization_id, i.invoice_id) in """

# The invoice that billed most for a period of which some came back.
GIVEN_BACK = """(select i.organization_id, i.invoice_id, i.subscription_id, l.period_starts_at
    from invoice i join invoice_line l using (organization_id, invoice_id)
   where l.kind = 'seats' and i.state = 'paid' and exists (
        select 1 from invoice o join invoice_line b using (organization_id, invoice_id)
         where o.organization_id = i.organization_id and o.subscription_id = i.subscription_id
           and b.kind = 'credit' and b.period_starts_at = l.period_starts_at
           and b.period_ends_at = l.period_ends_at)
   order by l.amount_minor desc, i.invoice_id limit 1)"""

MONEY = (
    mutant(
        "credits_fit",
        "credited at another price than was billed",
        f"""update invoice_line l set amount_minor = 10 * l.amount_minor
             from invoice i, {GIVEN_BACK} g
            where i.organization_id = l.organization_id and i.invoice_id = l.invoice_id
              and i.subscription_id = g.subscription_id and l.kind = 'credit'
              and l.period_starts_at = g.period_starts_at
           returning g.organization_id, g.subscription_id, g.period_starts_at""",
    ),
    mutant(
        "credits_fit",
        "credited by a note and given back as well",
        f"""insert into credit_note (organization_id, credit_note_id, invoice_id, number, currency,
                amount_minor, reason, cause, cause_id, created_at)
            select i.organization_id, gen_random_uuid(), i.invoice_id, 'n', i.currency,
                i.subtotal_minor, 'r', 'c', '1', i.created_at
              from invoice i join {GIVEN_BACK} g using (organization_id, invoice_id)""",
        f"select organization_id, subscription_id, period_starts_at from {GIVEN_BACK} g",
    ),
    mutant(
        "credits_fit",
        "given back of an invoice that was taken back",
        f"""update invoice i set state = 'void' from {GIVEN_BACK} g
            where i.organization_id = g.organization_id and i.invoice_id = g.invoice_id
           returning g.organization_id, g.subscription_id, g.period_starts_at""",
    ),
    mutant(
        "invoice_totals",
        "a line says one more",
        """update invoice_line set amount_minor = amount_minor + 1 where (invoice_id,
           line_number) in
             (select invoice_id, line_number from invoice_line order by 1, 2 limit 1)
           returning organization_id, invoice_id""",
    ),
    mutant(
        "invoice_totals",
        "due is not what is left",
        "alter table invoice drop constraint invoice_adds_up",
        f"""update invoice set due_minor = due_minor + 1
             where (organization_id, invoice_id) in {PAID} returning organization_id, invoice_id""",
    ),
    mutant(
        "line_full_amounts",
        "quantity times price is something else",
        """update invoice_line set full_minor = full_minor + 1 where (invoice_id, line_number) in
             (select invoice_id, line_number from invoice_line where kind = 'seats'
                 and unit_minor is not null order by 1, 2 limit 1)
           returning organization_id, invoice_id, line_number""",
    ),
    mutant(
        "line_full_amounts",
        "an increase bills a seat that was not added",
        """update invoice_line set full_minor = full_minor + unit_minor
            where (invoice_id, line_number) in (select invoice_id, line_number from invoice_line
                where kind = 'added_seats' and unit_minor > 0
                  and full_minor = unit_minor * (quantity - quantity_before) order by 1, 2 limit 1)
           returning organization_id, invoice_id, line_number""",
    ),
    mutant(
        "line_amounts",
        "a period line rounded away",
        """update invoice_line set amount_minor = amount_minor - 1 where (invoice_id,
           line_number) in
             (select invoice_id, line_number from invoice_line where kind = 'credit'
               order by 1, 2 limit 1)
           returning organization_id, invoice_id, line_number""",
    ),
    mutant(
        "line_amounts",
        "the last of three steps of one day is off by one",
        """update invoice_line set amount_minor = amount_minor + 1 where (invoice_id,
           line_number) in (
             select l.invoice_id, l.line_number from invoice_line l
              where l.kind = 'added_seats' and exists (select 1 from invoice_line o
                    where o.organization_id = l.organization_id and o.kind = 'added_seats'
                      and o.effective_at = l.effective_at and o.invoice_id < l.invoice_id)
              order by l.invoice_id desc limit 1)
           returning organization_id, invoice_id, line_number""",
    ),
    mutant(
        "line_prices",
        "a cheaper seat than the plan sells",
        """update invoice_line set unit_minor = unit_minor - 1, full_minor = full_minor - quantity
            where (invoice_id, line_number) in (select invoice_id, line_number from invoice_line
                where kind = 'seats' and unit_minor is not null order by 1, 2 limit 1)
           returning organization_id, invoice_id, line_number""",
    ),
    mutant(
        "line_prices",
        "a base that the plan does not have",
        """update invoice_line set full_minor = full_minor + 1, unit_minor = unit_minor + 1
            where (invoice_id, line_number) in (select invoice_id, line_number from invoice_line
                where kind = 'base' order by 1, 2 limit 1)
           returning organization_id, invoice_id, line_number""",
    ),
    mutant(
        "invoice_hashes",
        "an issued line was edited",
        """update invoice_line set quantity_before = quantity_before + 1
            where (invoice_id, line_number) in (select l.invoice_id, l.line_number
                from invoice_line l join invoice i using (organization_id, invoice_id)
               where i.number is not null order by 1, 2 limit 1)
           returning organization_id, invoice_id""",
    ),
    mutant(
        "invoice_hashes",
        "nobody sealed it",
        f"""update invoice set content_hash = null where (organization_id, invoice_id) in {PAID}
            returning organization_id, invoice_id""",
    ),
    mutant(
        "invoice_numbers",
        "a number is missing",
        """update invoice i set number = b.invoice_prefix || '-000099' from billing_account b
            where b.organization_id = i.organization_id and i.invoice_id in (
                select invoice_id from invoice where number like '%-000001' order by 1 limit 1)""",
        """select organization_id, invoice_prefix || '-000002' as number from billing_account
            where organization_id = (select organization_id from invoice
                where number like '%-000099')""",
    ),
    mutant(
        "invoice_numbers",
        "the counter counts one that is not there",
        """update billing_account set invoice_count = invoice_count + 1 where organization_id = (
             select min(organization_id::text)::uuid from billing_account)
           returning organization_id, null::text as number, invoice_count as counter""",
    ),
    mutant(
        "credit_note_numbers",
        "a note that no counter knows",
        f"{NOTE} {PAID} returning organization_id, 0 as counter",
    ),
    mutant(
        "credit_note_numbers",
        "a number of another series",
        """update billing_account set credit_note_count = 1
            where organization_id = (select organization_id from invoice where state = 'paid'
                and due_minor > 0 order by invoice_id limit 1)""",
        f"{NOTE} {PAID}",
        "update credit_note set number = 'CN-1' returning organization_id, number",
    ),
    mutant(
        "invoice_order",
        "two numbers changed places",
        """with two as (
             select i.organization_id, i.invoice_id, i.number, lead(i.invoice_id) over w as next_id,
                 lead(i.number) over w as next_number
               from invoice i where i.number is not null
             window w as (partition by i.organization_id order by i.number)
           ), pair as (select * from two where next_id is not null order by number limit 1
           ), away as (update invoice i set number = 'x' from pair p
                where i.invoice_id = p.invoice_id)
           select organization_id from pair""",
        """with spot as (select organization_id, substring(min(number) from '^[^-]+') || '-000001'
                as number from invoice where organization_id = (select organization_id
                    from invoice where number = 'x') and number <> 'x' group by 1
           ), late as (update invoice i set number = s.number from spot s
                where i.organization_id = s.organization_id and i.number like '%-000002')
           select 1""",
        """update invoice set number = (select substring(min(number) from '^[^-]+') || '-000002'
                from invoice j where j.organization_id = invoice.organization_id and j.number <>
                   'x')
            where number = 'x' returning organization_id, invoice_id""",
    ),
    mutant(
        "invoice_causes",
        "a change names an invoice that is not there",
        """update change set invoice_id = gen_random_uuid() where change_id = (
             select change_id from change where invoice_id is null order by 1 limit 1)
           returning organization_id, change_id as subject_id""",
    ),
    mutant(
        "invoice_causes",
        "an invoice whose change never was",
        """insert into invoice (organization_id, invoice_id, subscription_id, state, cause,
           cause_id,
               currency, subtotal_minor, due_minor, created_at, timeline)
           select organization_id, gen_random_uuid(), subscription_id, 'draft', 'change', 'x',
               'USD', 0, 0, started_at, timeline from subscription order by 3 limit 1
           returning organization_id, invoice_id as subject_id""",
    ),
    mutant(
        "payments_fit",
        "paid twice",
        "drop index payment_succeeds_once",
        f"""insert into payment (organization_id, payment_id, invoice_id, provider, method,
                provider_key, state, amount_minor, currency, attempted_at, settled_at)
            select organization_id, gen_random_uuid(), invoice_id, 'manual', 'manual', 'twice',
                'succeeded', 1, 'USD', created_at, created_at from invoice
             where (organization_id, invoice_id) in {PAID}
            returning organization_id, invoice_id""",
    ),
    mutant(
        "payments_fit",
        "paid more than was due",
        f"""update payment set amount_minor = amount_minor + 1
             where state = 'succeeded' and (organization_id, invoice_id) in {PAID}
            returning organization_id, invoice_id""",
    ),
    mutant(
        "payments_fit",
        "money for an invoice that was taken back",
        """update payment set state = 'succeeded' where payment_id = (
             select p.payment_id from payment p join invoice i using (organization_id, invoice_id)
              where i.state = 'discarded' order by 1 limit 1)
           returning organization_id, invoice_id""",
    ),
    mutant(
        "paid_is_paid",
        "paid by nothing",
        f"""delete from payment where state = 'succeeded'
               and (organization_id, invoice_id) in {PAID} returning organization_id, invoice_id""",
    ),
    mutant(
        "invoice_states",
        "closed without an end",
        f"""update invoice set closed_at = null where (organization_id, invoice_id) in {PAID}
            returning organization_id, invoice_id""",
    ),
    mutant(
        "invoice_states",
        "paid and still tried",
        f"""update invoice set next_attempt_at = closed_at
             where (organization_id, invoice_id) in {PAID} returning organization_id, invoice_id""",
    ),
    mutant(
        "sandbox_mirror",
        "the books do not know our payment",
        """delete from sandbox_charge where provider_key = (select min(provider_key) from payment
             where provider = 'sandbox' and state = 'succeeded')
           returning provider_key""",
    ),
    mutant(
        "sandbox_mirror",
        "money moved for nothing we know",
        """insert into sandbox_charge values ('stray', 100, 'USD', 'succeeded',
             '2026-01-01 00:00+00') returning provider_key""",
    ),
    mutant(
        "sandbox_mirror",
        "money moved and we say it was declined",
        """update payment set state = 'declined' where provider_key = (select min(provider_key)
             from payment where provider = 'sandbox' and state = 'succeeded')
           returning organization_id, provider_key""",
    ),
    mutant(
        "sandbox_mirror",
        "another amount than the books",
        """update sandbox_charge set amount_minor = amount_minor - 1 where provider_key = (
             select min(provider_key) from sandbox_charge where outcome = 'succeeded')
           returning provider_key""",
    ),
    mutant(
        "credit_notes_fit",
        "more credited than invoiced",
        f"{NOTE} {PAID}",
        """update credit_note c set amount_minor = i.subtotal_minor + 1 from invoice i
            where i.invoice_id = c.invoice_id returning c.organization_id, c.invoice_id""",
    ),
    mutant(
        "balance_is_entries",
        "credit out of nowhere",
        """update billing_account set balance_minor = balance_minor + 1 where organization_id = (
             select min(organization_id::text)::uuid from billing_account)
           returning organization_id""",
    ),
    mutant(
        "balance_is_entries",
        "a member's credit out of nowhere",
        """update member_account set balance_minor = balance_minor + 1
           returning organization_id, member_id""",
    ),
    mutant(
        "balance_is_entries",
        "a member's credit that no account holds",
        "delete from member_account returning organization_id, member_id",
    ),
    mutant(
        "payments_credited",
        "money that came late and was kept",
        "delete from balance_entry where payment_id is not null",
        "select organization_id, payment_id from payment where credited",
    ),
    mutant(
        "payments_credited",
        "credited for no payment that came late",
        f"""insert into balance_entry (organization_id, entry_id, amount_minor, currency, reason,
                created_at, payment_id)
            select organization_id, gen_random_uuid(), amount_minor, currency, 'r', attempted_at,
                payment_id
              from payment where state = 'succeeded' and (organization_id, invoice_id) in {PAID}
            returning organization_id, payment_id""",
    ),
    mutant(
        "payments_credited",
        "a member's money credited to the organization",
        """update balance_entry set member_id = null where payment_id is not null
              and member_id is not null returning organization_id, payment_id""",
    ),
    mutant(
        "payments_credited",
        "credited less than came",
        """update balance_entry set amount_minor = amount_minor - 1
            where payment_id is not null and amount_minor > 0
           returning organization_id, payment_id""",
    ),
    mutant(
        "payments_credited",
        "credited and nobody told",
        "delete from event where kind = 'payment.credited'",
        "select organization_id, payment_id from payment where credited",
    ),
    mutant(
        "payments_credited",
        "what pays an invoice is called credit",
        f"""update payment set credited = true where state = 'succeeded'
               and (organization_id, invoice_id) in {PAID} returning organization_id, payment_id""",
    ),
    mutant(
        "balance_of_invoices",
        "used and not noted",
        """delete from balance_entry where amount_minor < 0 and invoice_id is not null
             and entry_id = (select min(entry_id::text)::uuid from balance_entry
                 where amount_minor < 0)
           returning organization_id, invoice_id""",
    ),
    mutant(
        "balance_of_invoices",
        "carried and not noted",
        """delete from balance_entry where entry_id = (select min(entry_id::text)::uuid
             from balance_entry where amount_minor > 0 and invoice_id is not null)
           returning organization_id, invoice_id""",
    ),
    mutant(
        "currencies",
        "a payment in euros",
        """update payment set currency = 'EUR' where payment_id = (
             select payment_id from payment order by 1 limit 1)
           returning organization_id, payment_id as subject_id""",
    ),
    mutant(
        "currencies",
        "a balance entry in yen",
        """update balance_entry set currency = 'JPY' where entry_id = (
             select entry_id from balance_entry order by 1 limit 1)
           returning organization_id, entry_id as subject_id""",
    ),
    mutant(
        "quote_is_charge",
        "charged one more than quoted",
        """update quote set due_now_minor = due_now_minor - 1 where quote_id = (
             select quote_id from change where quote_id is not null and state = 'applied' limit
                1)""",
        """select organization_id, change_id from change
            where quote_id is not null and state = 'applied'""",
    ),
)
