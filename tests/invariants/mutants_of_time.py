"""More mutants: of time, of changes, of tenancy and of the audit trail."""

from tests.invariants.mutants import mutant

LIVE = """(select organization_id, subscription_id from subscription
    where status = 'active' and period_number > 0 order by 2 limit 1)"""
EVENT = "select min(event_id) from event where kind = "

TIME = (
    mutant(
        "periods_tile",
        "a gap between two periods",
        f"""with cut as (
              select organization_id, subscription_id, min(starts_at) as starts_at from period
               where (organization_id, subscription_id) in {LIVE} group by 1, 2
            ), done as (
              update period p set ends_at = p.ends_at - interval '1 hour' from cut c
               where p.subscription_id = c.subscription_id and p.starts_at = c.starts_at
              returning p.organization_id, p.subscription_id, p.ends_at + interval '1 hour' as at)
            select organization_id, subscription_id, at as starts_at from done""",
    ),
    mutant(
        "periods_tile",
        "an overlap",
        f"""with cut as (
              select organization_id, subscription_id, min(starts_at) as starts_at from period
               where (organization_id, subscription_id) in {LIVE} group by 1, 2
            ), done as (
              update period p set ends_at = p.ends_at + interval '1 day' from cut c
               where p.subscription_id = c.subscription_id and p.starts_at = c.starts_at
              returning p.organization_id, p.subscription_id, p.ends_at - interval '1 day' as at)
            select organization_id, subscription_id, at as starts_at from done""",
    ),
    mutant(
        "period_current",
        "the subscription is a period ahead of what was begun",
        f"""delete from period p using subscription s
             where p.subscription_id = s.subscription_id and p.starts_at = s.period_starts_at
               and (s.organization_id, s.subscription_id) in {LIVE}
            returning s.organization_id, s.subscription_id""",
    ),
    mutant(
        "bounds_anchored",
        "a period began a day late",
        f"""update period p set starts_at = p.starts_at + interval '1 day' from subscription s
             where p.subscription_id = s.subscription_id and p.starts_at = s.period_starts_at
               and (s.organization_id, s.subscription_id) in {LIVE}
            returning p.organization_id, p.subscription_id, p.number""",
    ),
    mutant(
        "bounds_anchored",
        "a period ends an hour too soon",
        f"""update period p set ends_at = p.ends_at - interval '1 hour' from subscription s
             where p.subscription_id = s.subscription_id and p.starts_at = s.period_starts_at
               and (s.organization_id, s.subscription_id) in {LIVE}
            returning p.organization_id, p.subscription_id, p.number""",
    ),
    mutant(
        "bounds_anchored",
        "the anchor drifted",
        """update subscription set anchor_on = anchor_on - 1 where subscription_id = (
             select s.subscription_id from subscription s
              where s.status = 'active' and s.period_number = 0 order by 1 limit 1)
           returning organization_id, subscription_id""",
    ),
    mutant(
        "terms_anchored",
        "a term ends a month late",
        f"""update subscription set term_ends_at = term_ends_at + interval '40 days'
             where (organization_id, subscription_id) in {LIVE}
            returning organization_id, subscription_id""",
    ),
    mutant(
        "ended_own_nothing",
        "an ended subscription has seats",
        """update seat_pool p set purchased = 1, assigned = 0, held = 0, state = 'open'
             from subscription s where s.subscription_id = p.subscription_id and s.status = 'ended'
              and p.pool_id = (select p.pool_id from seat_pool p join subscription s
                 using (organization_id, subscription_id) where s.status = 'ended'
                order by 1 limit 1)
           returning p.organization_id, p.pool_id""",
    ),
    mutant(
        "ended_own_nothing",
        "something is scheduled for after the end",
        """update change c set state = 'scheduled', slot = 'x', closed_at = null
            where c.change_id = (select c.change_id from change c join subscription s
                using (organization_id, subscription_id) where s.status = 'ended'
                order by 1 limit 1)
           returning organization_id, change_id""",
    ),
    mutant(
        "due_at_is_next",
        "due a day after its period's end",
        f"""update subscription set due_at = due_at + interval '1 day'
             where (organization_id, subscription_id) in {LIVE}
            returning organization_id, subscription_id""",
    ),
    mutant(
        "due_at_is_next",
        "nothing looks at it before its cancellation",
        f"""update subscription set status = 'canceling', cancel_at = period_starts_at
             where (organization_id, subscription_id) in {LIVE}
            returning organization_id, subscription_id""",
    ),
    mutant(
        "cancellations_stand",
        "nobody took a cancellation back, and it is gone",
        f"""insert into change (organization_id, change_id, subscription_id, kind, state, command,
                effective_at, requested_at, closed_at, actor, effect, timeline)
            select s.organization_id, 'ffffffff-ffff-7fff-bfff-ffffffffffff', s.subscription_id,
                'cancel', 'applied', '{{}}', s.term_ends_at, s.period_starts_at, s.period_starts_at,
                'x', jsonb_build_object('cancel_at', s.term_ends_at), s.timeline
              from subscription s where (s.organization_id, s.subscription_id) in {LIVE}
            returning organization_id, subscription_id, change_id""",
    ),
    mutant(
        "subscriptions_stand",
        "canceling at no instant",
        f"""update subscription set status = 'canceling'
             where (organization_id, subscription_id) in {LIVE}
            returning organization_id, subscription_id""",
    ),
    mutant(
        "subscriptions_stand",
        "active in arrears",
        f"""update subscription set past_due_since = period_starts_at
             where (organization_id, subscription_id) in {LIVE}
            returning organization_id, subscription_id""",
    ),
    mutant(
        "subscriptions_stand",
        "ended at no instant",
        """update subscription set ended_at = null where subscription_id = (
             select subscription_id from subscription where status = 'ended' order by 1 limit 1)
           returning organization_id, subscription_id""",
    ),
    mutant(
        "clocks_stand",
        "advances to the past",
        """update test_clock set state = 'advancing', target_at = now_at - interval '1 day',
                  lease_until = now_at returning clock_id""",
    ),
    mutant(
        "clocks_stand",
        "held for ever",
        """update test_clock set state = 'advancing', target_at = now_at + interval '1 day',
                  lease_until = '2999-01-01 00:00+00' returning clock_id""",
    ),
    mutant(
        "clocks_stand",
        "left on its way",
        """update test_clock set state = 'advancing', target_at = now_at + interval '1 day',
                  lease_until = '2000-01-01 00:00+00' returning clock_id""",
    ),
    mutant(
        "clocks_left_nothing",
        "a renewal was forgotten",
        """update subscription s set due_at = c.now_at - interval '1 minute'
             from organization o join test_clock c using (clock_id)
            where o.organization_id = s.organization_id
              and (s.organization_id, s.subscription_id) in """
        + LIVE
        + " returning s.organization_id, s.subscription_id as subject_id",
    ),
    mutant(
        "clocks_left_nothing",
        "an invitation lives on",
        """update invitation i set expires_at = c.now_at - interval '1 minute'
             from organization o join test_clock c using (clock_id)
            where o.organization_id = i.organization_id and i.invitation_id = (
                select invitation_id from invitation where state = 'pending' order by 1 limit 1)
           returning i.organization_id, i.invitation_id as subject_id""",
    ),
)

CHANGES = (
    mutant(
        "changes_applied_once",
        "applied twice",
        """insert into seat_ledger select l.organization_id, l.pool_id, gen_random_uuid(), l.delta,
               l.effective_at, l.cause, l.cause_id from seat_ledger l
            where l.entry_id = (select min(entry_id::text)::uuid from seat_ledger
                where cause = 'purchase_seats')
           returning organization_id, cause_id as change_id""",
    ),
    mutant(
        "changes_applied_once",
        "said to be applied and is not",
        """delete from seat_ledger where entry_id = (select min(entry_id::text)::uuid
             from seat_ledger where cause = 'purchase_seats')
           returning organization_id, cause_id as change_id""",
    ),
    mutant(
        "changes_applied_once",
        "failed, and the seats came all the same",
        """update change set state = 'failed' where change_id = (
             select cause_id from seat_ledger where cause = 'purchase_seats' order by 1 limit 1)
           returning organization_id, change_id""",
    ),
    mutant(
        "changes_stand",
        "waits for a payment that nobody makes",
        """delete from payment p using change c where c.invoice_id = p.invoice_id
             and c.state = 'awaiting_payment' returning c.organization_id, c.change_id""",
    ),
    mutant(
        "changes_stand",
        "failed, and the money was kept",
        """update change set state = 'failed' where change_id = (
             select c.change_id from change c join invoice i using (organization_id, invoice_id)
              where c.state = 'applied' and i.state = 'paid' order by 1 limit 1)
           returning organization_id, change_id""",
    ),
    mutant(
        "changes_stand",
        "applied at no instant",
        """update change set closed_at = null where change_id = (
             select change_id from change where state = 'applied' order by 1 limit 1)
           returning organization_id, change_id""",
    ),
    mutant(
        "changes_in_time",
        "its day went by",
        """update change c set effective_at = s.period_starts_at from subscription s
            where s.subscription_id = c.subscription_id and c.state = 'scheduled'
           returning c.organization_id, c.change_id""",
    ),
    mutant(
        "amendments_stand",
        "applied and never decided",
        """insert into contract (organization_id, contract_id, subscription_id, kind, state,
               account_manager, net_terms_days, signed_until, created_at)
           select organization_id, '00000000-0000-0000-0000-000000000001', subscription_id,
               'annual', 'active', 'am', 30, term_ends_at, started_at
             from subscription order by 3 limit 1""",
        """insert into amendment (organization_id, amendment_id, contract_id, state, terms, note,
               offer, requested_by, created_at, closed_at, timeline)
           select organization_id, gen_random_uuid(), contract_id, 'applied', '{}', '', '{}', 'x',
               c.created_at, c.created_at, timeline
             from contract c join organization using (organization_id)
            where contract_id = '00000000-0000-0000-0000-000000000001'
           returning organization_id, amendment_id""",
    ),
)

TRAIL = (
    mutant(
        "primary_owner_present",
        "nobody is the primary owner",
        """update member set role = 'owner' where member_id = (select member_id from member
             where role = 'primary_owner' order by 1 limit 1) returning organization_id""",
    ),
    mutant(
        "primary_owner_present",
        "two are",
        "drop index primary_owner_once",
        """update member set role = 'primary_owner' where member_id = (select member_id from member
             where role = 'member' and standing = 'active' order by 1 limit 1)
           returning organization_id""",
    ),
    mutant(
        "foreign_keys_composite",
        "a key that could point into another organization",
        "create unique index loose on seat_pool (pool_id)",
        """alter table hold add constraint hold_to_any_pool foreign key (pool_id)
             references seat_pool (pool_id)""",
        "select 'hold_to_any_pool' as name",
    ),
    mutant(
        "events_belong",
        "an event of nobody",
        """insert into event (organization_id, kind, subject_id, occurred_at, actor)
           values ('00000000-0000-0000-0000-000000000007', 'x.y', gen_random_uuid(),
               '2026-01-01 00:00+00', 'x') returning organization_id, event_id""",
    ),
    mutant(
        "events_of_seats",
        "a seat that nobody was told of",
        f"""delete from event where event_id = ({EVENT} 'seat.assigned')
            returning organization_id, subject_id as assignment_id, 'beginning' as missing""",
    ),
    mutant(
        "events_of_seats",
        "an end that nobody was told of",
        f"""delete from event where event_id = ({EVENT} 'seat.unassigned')
            returning organization_id, subject_id as assignment_id, 'end' as missing""",
    ),
    mutant(
        "events_of_ledger",
        "seats that came without a word",
        """with gone as (select cause_id from seat_ledger where cause = 'purchase_seats'
                order by entry_id limit 1
           ), away as (delete from event e using gone g where e.subject_id = g.cause_id)
           select l.organization_id, l.entry_id from seat_ledger l join gone using (cause_id)""",
    ),
    mutant(
        "events_of_invoices",
        "an invoice went out without a word",
        f"""delete from event where event_id = ({EVENT} 'invoice.paid')
            returning organization_id, subject_id as invoice_id""",
    ),
    mutant(
        "events_of_people",
        "revoked without a word",
        f"""delete from event where event_id = ({EVENT} 'invitation.revoked')
            returning organization_id, subject_id""",
    ),
    mutant(
        "events_of_people",
        "removed without a word",
        f"""delete from event where event_id = ({EVENT} 'member.removed')
            returning organization_id, subject_id""",
    ),
    mutant(
        "idempotency_finished",
        "begun long ago and never finished",
        """insert into idempotency_key (principal_id, key_hash, request_hash, state, created_at)
           values (gen_random_uuid(), 'cut-off', 'x', 'working', '2026-01-01 00:00+00')
           returning key_hash""",
    ),
    mutant(
        "idempotency_finished",
        "done without an answer",
        """insert into idempotency_key (principal_id, key_hash, request_hash, state, created_at)
           values (gen_random_uuid(), 'empty', 'x', 'done', '2028-01-01 00:00+00')
           returning key_hash""",
    ),
)
