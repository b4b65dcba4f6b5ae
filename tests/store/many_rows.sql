-- Four thousand organizations, each with a little of everything, for plans to be made on.
insert into catalog values ('c', 'c', null, 5, '{}', '2026-01-01 00:00+00');
insert into plan_version values
    ('00000000-0000-0000-0000-000000000001', 'c', 'p', 1, '{}', '2026-01-01 00:00+00', null);
create function id_of(word text) returns uuid immutable language sql as 'select md5(word)::uuid';
insert into organization (organization_id, catalog_key, name, currency, time_zone, created_at)
select id_of('o' || o), 'c', 'n', 'USD', 'UTC', '2026-01-01 00:00+00'
  from generate_series(1, 4000) o;
insert into billing_account (organization_id, invoice_prefix)
select organization_id, organization_id::text from organization;
insert into user_account select id_of('u' || n), 'u' || n, '2026-01-01 00:00+00'
  from generate_series(1, 20000) n;
insert into member (organization_id, member_id, user_id, email, name, role, standing, source,
    joined_at)
select id_of('o' || n % 4000 + 1), id_of('m' || n), id_of('u' || n), n || '@example.com', 'n',
    case when n <= 4000 then 'primary_owner' else 'member' end, 'active', 'api',
    '2026-01-01 00:00+00' from generate_series(1, 20000) n;
insert into subscription (organization_id, subscription_id, plan_version_id, price_key, status,
    anchor_on, period_number, period_starts_at, period_ends_at, term_ends_at, due_at, started_at)
select organization_id, id_of('s' || organization_id),
    '00000000-0000-0000-0000-000000000001', 'x', 'active', '2026-01-01', 0,
    '2026-01-01 00:00+00', '2027-01-01 00:00+00', '2027-01-01 00:00+00',
    timestamptz '2026-01-01 00:00+00' + abs(hashtext(organization_id::text)) % 360 * interval '1 day',
    '2026-01-01 00:00+00' from organization;
insert into period select organization_id, subscription_id, period_starts_at, period_ends_at, 0,
    plan_version_id, 'paid' from subscription;
insert into discount (organization_id, discount_id, subscription_id, basis_points, amount_minor,
    created_at, ended_at, ended_because, version)
select organization_id, id_of('d' || n || subscription_id), subscription_id, 2000, 0, started_at,
    case when n > 1 then started_at end, case when n > 1 then 'replaced' end, n
  from subscription, generate_series(1, 3) n;
insert into seat_pool (organization_id, pool_id, subscription_id, seat_type, rank, capacity,
    purchased, assigned, billed_at)
select organization_id, id_of('p' || organization_id), id_of('s' || organization_id), 'seat', 0,
    'purchased', 100, 5, '2026-01-01 00:00+00' from organization;
insert into seat_ledger select organization_id, pool_id, id_of('l' || pool_id), 100, billed_at, 'x',
    pool_id from seat_pool;
insert into assignment (organization_id, member_id, assignment_id, pool_id, assigned_at, rule)
select organization_id, member_id, id_of('a' || member_id), id_of('p' || organization_id),
    '2026-01-01 00:00+00', 'by_hand' from member;
insert into invitation (organization_id, invitation_id, email, role, token_hash, state,
    invited_by, created_at, sent_at, expires_at)
select organization_id, id_of('i' || member_id), member_id || '@example.com', 'member',
    decode(md5(member_id::text), 'hex'), case when email like '1%' then 'pending' else 'revoked' end,
    'x', joined_at, joined_at, joined_at + abs(hashtext(email)) % 360 * interval '1 day'
  from member;
insert into hold (organization_id, pool_id, hold_id, invitation_id, held_at)
select organization_id, id_of('p' || organization_id), id_of('h' || invitation_id), invitation_id,
    sent_at from invitation where state = 'pending';
insert into seat_request (organization_id, request_id, member_id, choice, state, reason, queued_at)
select organization_id, id_of('r' || member_id), member_id, 'highest',
    case when email like '1%' then 'waiting' else 'served' end,
    case when email like '1111%' then 'purchase' else 'pool_full' end,
    joined_at + abs(hashtext(email)) % 360 * interval '1 day' from member;
insert into quote select organization_id, id_of('q' || subscription_id), '{}', '{}', 0, started_at,
    '2026-01-01', started_at from subscription;
insert into change (organization_id, change_id, subscription_id, kind, state, command, quote_id,
    slot, effective_at, requested_at, actor, effect, invoice_id)
select s.organization_id, id_of('c' || n || s.subscription_id), s.subscription_id, 'x',
    case n when 1 then 'scheduled' when 2 then 'awaiting_payment' else 'applied' end, '{}',
    case n when 3 then id_of('q' || s.subscription_id) end, n::text, s.due_at, s.started_at, 'x',
    '{}', id_of('v' || n || s.subscription_id)
  from subscription s, generate_series(1, 6) n;
insert into invoice (organization_id, invoice_id, subscription_id, number, state, cause, cause_id,
    currency, subtotal_minor, due_minor, created_at, due_at, next_attempt_at)
select s.organization_id, id_of('v' || n || s.subscription_id), s.subscription_id, n::text,
    case n when 1 then 'open' else 'paid' end, 'x', n || s.subscription_id::text, 'USD', 1, 1,
    s.started_at, s.due_at, case n when 1 then s.due_at end
  from subscription s, generate_series(1, 6) n;
insert into invoice_line (organization_id, invoice_id, line_number, kind, plan_key, plan_version,
    price_key, quantity, part, whole, basis, full_minor, amount_minor, period_starts_at,
    period_ends_at, effective_at)
select organization_id, invoice_id, 1, 'base', 'p', 1, 'x', 1, 1, 1, 'none', 1, 1, created_at,
    due_at, created_at from invoice;
insert into payment (organization_id, payment_id, invoice_id, provider, method, provider_key, state,
    amount_minor, currency, attempted_at)
select organization_id, id_of('y' || invoice_id), invoice_id, 'sandbox', 'x', invoice_id::text,
    'succeeded', 1, 'USD', created_at from invoice;
insert into sandbox_charge select provider_key, 1, 'USD', 'succeeded', attempted_at from payment;
insert into balance_entry select organization_id, id_of('b' || invoice_id), 1, 'USD', 'x',
    invoice_id, null, created_at from invoice;
insert into credit_note select organization_id, id_of('n' || invoice_id), invoice_id, number, 'USD',
    1, 'x', 'x', invoice_id::text, created_at from invoice where number < '3';
insert into contract (organization_id, contract_id, subscription_id, kind, state, account_manager,
    net_terms_days, signed_until, created_at)
select organization_id, id_of('k' || subscription_id), subscription_id, 'annual', 'active', 'x', 30,
    due_at, started_at from subscription;
insert into amendment (organization_id, amendment_id, contract_id, state, terms, note,
    requested_by, created_at, expires_at, change_id)
select c.organization_id, id_of('m' || n || c.contract_id), c.contract_id,
    case n when 1 then 'quoted' else 'applied' end, '{}', '', 'x', c.created_at, c.signed_until,
    id_of('c' || n || c.subscription_id)
  from contract c, generate_series(1, 6) n;
insert into event (organization_id, kind, subject_id, occurred_at, actor)
select organization_id, 'seat.assigned', member_id, '2026-01-01 00:00+00', 'x' from member;
insert into idempotency_key (principal_id, key_hash, request_hash, state, created_at)
select id_of('k' || n % 10), n::text::bytea, 'x', 'done', '2026-01-01 00:00+00'::timestamptz + n * interval '1 hour'
  from generate_series(1, 5000) n;
analyze;
