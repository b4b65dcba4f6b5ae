-- Sizes at which a wrong plan shows: 20,000 live organizations with nothing due before 2027, 5,000 on a clock that
-- stands in 2000 with everything due, one on a clock with nothing due, and organization 1 with 100,000 members.
insert into catalog values ('c', 'c', null, 5, '{}', '2026-01-01 00:00+00');
insert into plan_version values
    ('00000000-0000-0000-0000-000000000001', 'c', 'p', 1, '{}', '2026-01-01 00:00+00', null);
create function id_of(word text) returns uuid immutable language sql as 'select md5(word)::uuid';
insert into test_clock (clock_id, name, now_at, state, owner_key_id, created_at)
select id_of('k' || n), 'k', '2000-01-01 00:00+00', 'ready', id_of('key' || (n > 3)::integer), '2026-01-01 00:00+00'
  from generate_series(1, 30000) n;
insert into organization (organization_id, catalog_key, name, currency, time_zone, created_at, clock_id)
select id_of('o' || n), 'c', 'n', 'USD', 'UTC', '2026-01-01 00:00+00',
    case when n > 25000 then id_of('k2') when n > 20000 then id_of('k1') end
  from generate_series(1, 25001) n;
insert into billing_account (organization_id, invoice_prefix)
select organization_id, organization_id::text from organization;
create temporary table small as
select n, id_of('o' || n) as organization_id,
    case when n > 25000 then '2031-01-01 00:00+00' when n > 20000 then '2000-01-01 00:00+00'
         else '2027-01-01 00:00+00' end::timestamptz as due_at,
    case when n > 25000 then id_of('k2') when n > 20000 then id_of('k1') end as clock_id
  from generate_series(1, 25001) n;
insert into user_account select id_of('u' || n), 'u' || n, '2026-01-01 00:00+00'
  from generate_series(1, 120000) n;
insert into member (organization_id, member_id, user_id, email, name, role, standing, source, joined_at)
select organization_id, id_of('s' || n), id_of('u' || n), 'x@example.com', 'x', 'primary_owner', 'active', 'api',
    '2026-01-01 00:00+00' from small where n > 1;
insert into member (organization_id, member_id, user_id, email, name, role, standing, source, joined_at)
select id_of('o1'), id_of('m' || n), id_of('u' || n), 'm' || n || '@example.com', 'M ' || n,
    case when n = 1 then 'primary_owner' when n <= 20 then 'admin' else 'member' end,
    case when n > 100000 then 'removed' when n in (30, 31, 32) then 'suspended' else 'active' end, 'api',
    '2026-01-01 00:00+00' from generate_series(1, 120000) n;
insert into subscription (organization_id, subscription_id, plan_version_id, price_key, status, anchor_on,
    period_number, period_starts_at, period_ends_at, term_ends_at, due_at, started_at, timeline)
select organization_id, id_of('b' || n), '00000000-0000-0000-0000-000000000001', 'x', 'active', '2026-01-01', 0,
    due_at - interval '30 days', due_at, due_at,
    -- Whose change is being paid is not renewed meanwhile, and not due here either.
    due_at + case when n between 20001 and 22500 then interval '60 days' else interval '0' end,
    '2026-01-01 00:00+00', timeline_of(clock_id) from small;
insert into seat_pool (organization_id, pool_id, subscription_id, seat_type, rank, capacity, purchased, assigned,
    billed_at)
select organization_id, id_of('p' || n), id_of('b' || n), 'seat', 0, 'purchased', 200000,
    case when n = 1 then 99900 else 0 end, due_at from small;
insert into seat_pool (organization_id, pool_id, subscription_id, seat_type, rank, capacity, purchased, assigned,
    billed_at) values (id_of('o1'), id_of('p'), id_of('b1'), 'rare', 1, 'purchased', 10, 5, '2026-01-01 00:00+00');
insert into assignment (organization_id, member_id, assignment_id, pool_id, assigned_at, rule)
select id_of('o1'), id_of('m' || n), id_of('a' || n), id_of(case when n > 99995 then 'p' else 'p1' end),
    '2026-01-01 00:00+00', 'by_hand' from generate_series(96, 100000) n;
insert into assignment (organization_id, member_id, assignment_id, pool_id, assigned_at, ended_at, rule, ended_rule)
select id_of('o1'), id_of('m' || n), id_of('e' || n), id_of('p1'), '2025-01-01 00:00+00', '2025-02-01 00:00+00',
    'by_hand', 'by_hand' from generate_series(1, 20000) n;
insert into invitation (organization_id, invitation_id, email, role, token_hash, state, invited_by, created_at,
    sent_at, expires_at, timeline)
select organization_id, id_of('i' || n), 'y@example.com', 'member', decode(md5(n::text), 'hex'), 'pending', 'x',
    due_at - interval '1 year', due_at - interval '1 year', due_at, timeline_of(clock_id) from small;
insert into invitation (organization_id, invitation_id, email, role, token_hash, state, invited_by, created_at,
    sent_at, expires_at)
select id_of('o1'), id_of('j' || n), n || '@example.com', 'member', decode(md5('j' || n), 'hex'),
    case when n <= 3 then 'revoked' when n <= 6 then 'expired' when n <= 15000 then 'accepted' else 'pending' end,
    'x', '2026-01-01 00:00+00', '2026-01-01 00:00+00',
    case when n in (16000, 16001) then '2025-12-01 00:00+00' else '2027-01-01 00:00+00' end::timestamptz
  from generate_series(1, 30000) n;
insert into seat_request (organization_id, request_id, member_id, choice, state, reason, queued_at, timeline)
select organization_id, id_of('r' || n), id_of('s' || n), 'highest', 'waiting', 'purchase', due_at,
    timeline_of(clock_id) from small where n between 20001 and 25000;
insert into seat_request (organization_id, request_id, member_id, seat_type, choice, state, reason, queued_at)
select id_of('o1'), id_of('w' || n), id_of('m' || n), case when n > 50 then 'seat' else 'rare' end, 'highest',
    case when n <= 95 then 'waiting' else 'served' end, 'pool_full', '2026-01-01 00:00+00'
  from generate_series(1, 30000) n;
insert into change (organization_id, change_id, subscription_id, kind, state, command, slot, effective_at,
    requested_at, actor, effect, invoice_id, timeline)
select organization_id, id_of('c' || n), id_of('b' || n), 'x', 'awaiting_payment', '{}', 'x', due_at, due_at, 'x',
    '{}', id_of('v' || n), timeline_of(clock_id) from small where n between 2 and 22500;
insert into change (organization_id, change_id, subscription_id, kind, state, command, slot, effective_at,
    requested_at, actor, effect)
select id_of('o1'), id_of('d' || n), id_of('b1'), 'x',
    case when n = 1 then 'scheduled' when n <= 4 then 'failed' else 'applied' end, '{}', 'x',
    '2026-01-01 00:00+00', '2026-01-01 00:00+00', 'x', '{}' from generate_series(1, 30000) n;
insert into invoice (organization_id, invoice_id, subscription_id, number, state, cause, cause_id, currency,
    subtotal_minor, due_minor, created_at, due_at, next_attempt_at, timeline)
select organization_id, id_of('v' || n), id_of('b' || n), '0', 'open', 'x', 'x', 'USD', 1, 1, due_at, due_at,
    due_at, timeline_of(clock_id) from small;
insert into invoice (organization_id, invoice_id, subscription_id, number, state, cause, cause_id, currency,
    subtotal_minor, due_minor, created_at)
select id_of('o1'), id_of('x' || n), id_of('b1'), case when n <= 15000 then n::text end,
    case when n <= 3 then 'void' when n <= 15000 then 'paid' else 'discarded' end, 'y', n::text, 'USD', 1, 1,
    '2026-01-01 00:00+00' from generate_series(1, 30000) n;
insert into payment (organization_id, payment_id, invoice_id, provider, method, provider_key, state, amount_minor,
    currency, attempted_at)
select organization_id, id_of('y' || n), id_of('v' || n), 'sandbox', 'x', 'y' || n, 'pending', 1, 'USD', due_at
  from small;
insert into payment (organization_id, payment_id, invoice_id, provider, method, provider_key, state, amount_minor,
    currency, attempted_at)
select id_of('o1'), id_of('z' || n), id_of('x' || n), 'sandbox', 'x', 'z' || n, 'declined', 1, 'USD',
    '2026-01-01 00:00+00' from generate_series(1, 30000) n;
insert into balance_entry (organization_id, entry_id, amount_minor, currency, reason, created_at)
select id_of('o1'), id_of('b' || n), 1, 'USD', 'x', '2026-01-01 00:00+00' from generate_series(1, 30000) n;
insert into credit_note (organization_id, credit_note_id, invoice_id, number, currency, amount_minor, reason, cause,
    cause_id, created_at)
select id_of('o1'), id_of('n' || n), id_of('x' || n), n::text, 'USD', 1, 'x', 'x', n::text, '2026-01-01 00:00+00'
  from generate_series(1, 30000) n;
insert into contract (organization_id, contract_id, subscription_id, kind, state, account_manager, net_terms_days,
    signed_until, created_at)
select organization_id, id_of('t' || n), id_of('b' || n), 'annual', 'active', 'x', 30, due_at, due_at from small;
insert into amendment (organization_id, amendment_id, contract_id, state, terms, note, requested_by, created_at,
    expires_at, timeline)
select organization_id, id_of('f' || n), id_of('t' || n), 'quoted', '{}', '', 'x', due_at, due_at,
    timeline_of(clock_id) from small where n > 1;
insert into amendment (organization_id, amendment_id, contract_id, state, terms, note, requested_by, created_at)
select id_of('o1'), id_of('g' || n), id_of('t1'), case when n <= 3 then 'declined' else 'applied' end, '{}', '', 'x',
    '2026-01-01 00:00+00' from generate_series(1, 30000) n;
insert into api_key (key_id, name, hash, vendor_role, scopes, organization_id, created_at)
select id_of('h' || n), 'x', decode(md5('h' || n), 'hex'), 'service', '{}', case when n <= 3 then id_of('o1') end,
    '2026-01-01 00:00+00' from generate_series(1, 30000) n;
