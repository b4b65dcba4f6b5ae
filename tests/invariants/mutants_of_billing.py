"""More mutants: of what was billed for which time, and of what is still to be paid."""

from tests.invariants.mutants import mutant

BILLING = (
    mutant(
        "billed_changes",
        "a line bills other seats than the ledger has",
        """update invoice_line l set quantity = quantity + 1 from change c
            where c.invoice_id = l.invoice_id and c.state = 'applied' and l.kind = 'added_seats'
              and c.change_id = (select c.change_id from change c where c.kind = 'purchase_seats'
                and c.state = 'applied' and c.invoice_id is not null order by 1 limit 1)
           returning c.organization_id, c.change_id, l.seat_type""",
    ),
    mutant(
        "billed_changes",
        "seats were added and never billed",
        """with gone as (select c.organization_id, c.change_id, c.invoice_id from change c
                where c.kind = 'purchase_seats' and c.state = 'applied' and c.invoice_id is not null
                order by c.change_id limit 1
           ), away as (delete from invoice_line l using gone g where l.invoice_id = g.invoice_id)
           select organization_id, change_id from gone""",
    ),
    mutant(
        "billed_levels",
        "a period billed fewer seats than were owned",
        """update invoice_line set quantity = quantity - 1, full_minor = full_minor - 2 * unit_minor
            where (invoice_id, line_number) in (select invoice_id, line_number from invoice_line
                where kind = 'seats' and unit_minor > 0 and quantity > 2 order by 1 desc limit 1)
           returning organization_id, invoice_id, line_number""",
    ),
    mutant(
        "billed_levels",
        "the same seats billed twice inside a period",
        """update invoice_line set full_minor = 2 * full_minor where (invoice_id, line_number) in (
             select l.invoice_id, l.line_number from invoice_line l join change c
                 on c.invoice_id = l.invoice_id and c.state = 'applied'
              where l.kind = 'added_seats' and l.unit_minor > 0 and l.full_minor > 0
              order by 1 desc limit 1)
           returning organization_id, invoice_id, line_number""",
    ),
    mutant(
        "billed_now",
        "a purchased seat that nobody billed",
        """with one as (
             select p.organization_id, p.pool_id, p.subscription_id, p.seat_type from seat_pool p
               join subscription s using (organization_id, subscription_id)
              where s.status = 'active' and s.period_number >= 0 and p.seat_type = 'enterprise'
              order by p.pool_id limit 1
           ), more as (
             insert into seat_ledger select organization_id, pool_id, gen_random_uuid(), 1,
                 '2028-02-01 00:00+00', 'gift', gen_random_uuid() from one)
           select organization_id, subscription_id, seat_type from one""",
    ),
    mutant(
        "billed_now",
        "the running period's base is missing",
        """delete from invoice_line l using invoice i, subscription s
            where i.organization_id = l.organization_id and i.invoice_id = l.invoice_id
              and s.organization_id = i.organization_id and s.subscription_id = i.subscription_id
              and l.kind = 'base' and s.status = 'active'
              and l.period_starts_at = s.period_starts_at
           returning l.organization_id, s.subscription_id, null::text as seat_type""",
    ),
    mutant(
        "billed_now",
        "a pool forgets what its day has billed",
        """update seat_pool p set billed_minor = billed_minor + 1 from subscription s
            where s.organization_id = p.organization_id and s.subscription_id = p.subscription_id
              and p.pool_id = (select p.pool_id from seat_pool p join subscription s
                 using (organization_id, subscription_id) where s.status = 'active'
                 and s.period_number >= 0 and p.seat_type = 'enterprise' order by 1 limit 1)
           returning p.organization_id, p.subscription_id, p.seat_type""",
    ),
    mutant(
        "billed_once",
        "a second invoice for the same period",
        """with one as (
             select i.* from invoice i join invoice_line l using (organization_id, invoice_id)
              where i.cause = 'period' and i.state = 'paid' order by i.invoice_id limit 1
           ), again as (
             insert into invoice (organization_id, invoice_id, subscription_id, number, state,
                cause,
                 cause_id, currency, subtotal_minor, due_minor, created_at, timeline)
             select organization_id, '00000000-0000-0000-0000-000000000001', subscription_id, 'x',
                 'open', 'period', 'again', currency, subtotal_minor, due_minor, created_at,
                    timeline from one)
           select 1""",
        """insert into invoice_line
           select l.organization_id, '00000000-0000-0000-0000-000000000001', l.line_number, l.kind,
               l.seat_type, l.plan_key, l.plan_version, l.price_key, l.quantity, l.quantity_before,
               l.unit_minor, l.part, l.whole, l.basis, l.full_minor, l.amount_minor,
               l.period_starts_at, l.period_ends_at, l.effective_at, l.assigned, l.held
             from invoice_line l where l.invoice_id = (select i.invoice_id from invoice i
                where i.cause = 'period' and i.state = 'paid' order by 1 limit 1)
           returning organization_id, period_starts_at, seat_type""",
    ),
    mutant(
        "open_invoices_tried",
        "given up, and the subscription goes on as if it were paid",
        """update invoice i set state = 'open', attempts = 5 from subscription s
            where s.organization_id = i.organization_id and s.subscription_id = i.subscription_id
              and s.status = 'active' and i.invoice_id = (select i.invoice_id from invoice i
                 join invoice_line l using (organization_id, invoice_id)
                 join subscription s using (organization_id, subscription_id)
                where s.status = 'active' and l.period_starts_at = s.period_starts_at
                  and i.state = 'paid' order by 1 limit 1)
           returning i.organization_id, i.invoice_id""",
    ),
    mutant(
        "open_invoices_tried",
        "another plan forgave the debt of the one before",
        """update invoice i set state = 'open', attempts = 5, next_attempt_at = null
            where i.invoice_id = (select i.invoice_id from invoice i
                 join invoice_line l using (organization_id, invoice_id)
                 join subscription s using (organization_id, subscription_id)
                where s.status = 'active' and l.period_starts_at < s.period_starts_at
                  and i.state = 'paid' and exists (select 1 from invoice b
                      join invoice_line n using (organization_id, invoice_id)
                     where b.subscription_id = s.subscription_id and n.full_minor > 0
                       and n.period_starts_at = s.period_starts_at) order by 1 limit 1)
           returning i.organization_id, i.invoice_id""",
    ),
    mutant(
        "payments_from_balance",
        "the balance paid one unit less than was due",
        """update balance_entry set amount_minor = amount_minor + 1
            where payment_id is not null and amount_minor < 0
           returning organization_id, payment_id""",
    ),
    mutant(
        "payments_from_balance",
        "the balance of nobody paid",
        """with gone as (delete from balance_entry where payment_id is not null and amount_minor < 0
             returning organization_id, payment_id) select * from gone""",
    ),
    mutant(
        "payments_from_balance",
        "the balance paid what is not paid",
        """with was as (select organization_id, payment_id, invoice_id from payment
              where provider = 'balance'), done as (
             update invoice i set state = 'open' from was w
              where i.organization_id = w.organization_id and i.invoice_id = w.invoice_id)
           select organization_id, payment_id from was""",
    ),
    mutant(
        "seats_begun_for_all",
        "a subscription began with fewer seats than people",
        """with chosen as (select p.organization_id, p.pool_id from seat_pool p
              join subscription s using (organization_id, subscription_id)
             where p.payer_member_id is null and p.capacity = 'purchased' and p.assigned > 1
               and s.status = 'active' order by 2 limit 1), noted as (
             insert into seat_ledger (organization_id, pool_id, entry_id, delta, effective_at,
                 cause, cause_id)
             select organization_id, pool_id, gen_random_uuid(), 1, '2990-01-01 00:00+00',
                 'subscribe', gen_random_uuid() from chosen), done as (
             update seat_pool p set purchased = 1, state = 'over_limit' from chosen c
              where p.organization_id = c.organization_id and p.pool_id = c.pool_id)
           select organization_id, pool_id from chosen""",
    ),
    mutant(
        "seats_begun_for_all",
        "those who sat through an end were not counted when something else began",
        """with chosen as (select p.organization_id, p.pool_id from seat_pool p
              join subscription s using (organization_id, subscription_id)
             where p.payer_member_id is null and p.capacity = 'purchased' and p.assigned > 1
               and s.status = 'active' order by 2 limit 1), noted as (
             insert into seat_ledger (organization_id, pool_id, entry_id, delta, effective_at,
                 cause, cause_id)
             select organization_id, pool_id, gen_random_uuid(), -1, '2990-01-01 00:00+00',
                 'ended', gen_random_uuid() from chosen), done as (
             update seat_pool p set purchased = 0, state = 'over_limit' from chosen c
              where p.organization_id = c.organization_id and p.pool_id = c.pool_id)
           select organization_id, pool_id from chosen""",
    ),
    mutant(
        "nothing_charged_while_parked",
        "a card was charged after the parking",
        """with chosen as (select p.organization_id, p.payment_id, p.attempted_at from payment p
              where p.provider = 'sandbox' and not exists (select 1 from payment o
                   where o.organization_id = p.organization_id and o.payment_id <> p.payment_id)
              order by 2 limit 1), done as (
             update organization o set parked_at = c.attempted_at - interval '1 hour'
               from chosen c where o.organization_id = c.organization_id)
           select organization_id, payment_id from chosen""",
    ),
    mutant(
        "drafts_wait",
        "a draft that no change waits for",
        """update change set state = 'canceled', closed_at = requested_at
            where state = 'awaiting_payment' returning organization_id, invoice_id""",
    ),
    mutant(
        "payments_stand",
        "another amount than was due",
        """update payment set amount_minor = amount_minor + 1 where payment_id = (
             select payment_id from payment where state = 'declined' order by 1 limit 1)
           returning organization_id, payment_id""",
    ),
    mutant(
        "payments_stand",
        "declined at no instant",
        """update payment set settled_at = null where payment_id = (
             select payment_id from payment where state = 'declined' order by 1 limit 1)
           returning organization_id, payment_id""",
    ),
)
