-- Seatkeeper's tables. Every tenant table starts its keys with organization_id and every foreign key
-- between tenant tables is composite with it, so that one organization can never reach another.
-- Time is always told, never asked. Constraint names are permanent: store/database.py maps them to refusals.
-- Lock order: organization, subscription, seat_pool by pool_id, member, billing_account.

create table instance (
    singleton boolean primary key default true check (singleton),
    secret bytea not null,
    schema_version integer not null
);

create table catalog (
    catalog_key text primary key,
    name text not null,
    default_plan text,
    membership_limit integer not null check (membership_limit >= 0),
    document jsonb not null,
    applied_at timestamptz not null
);

create table plan_version (
    plan_version_id uuid primary key,
    catalog_key text not null references catalog,
    plan_key text not null,
    version integer not null check (version > 0),
    document jsonb not null,
    created_at timestamptz not null,
    retired_at timestamptz,
    constraint plan_version_once unique (plan_key, version)
);

create table test_clock (
    clock_id uuid primary key,
    name text not null,
    now_at timestamptz not null,
    state text not null check (state in ('ready', 'advancing', 'failed')),
    -- An advance that was asked for, and until when (by the wall) somebody is at it.
    target_at timestamptz,
    lease_until timestamptz,
    -- Who advances it: each walker has a number of its own, and an older one may write nothing.
    epoch integer not null default 0,
    done jsonb not null default '{}',
    failure text,
    owner_key_id uuid not null,
    created_at timestamptz not null,
    constraint test_clock_walks_to_target check (
        (state = 'advancing') = (target_at is not null) and (target_at is null) = (lease_until is null)),
    constraint test_clock_says_why check ((state = 'failed') = (failure is not null))
);
create index test_clock_advancing on test_clock (lease_until) where state = 'advancing';
create index test_clock_of_key on test_clock (owner_key_id, clock_id);

create table api_key (
    key_id uuid primary key,
    name text not null,
    hash bytea not null constraint api_key_once unique,
    vendor_role text not null check (vendor_role in ('service', 'account_manager', 'operator')),
    scopes text[] not null,
    organization_id uuid,
    created_at timestamptz not null,
    expires_at timestamptz,
    revoked_at timestamptz
);
create index api_key_of_organization on api_key (organization_id, key_id);

-- By whose time the rows of an organization come due: a test clock's, or the wall's, which is all zeros. Rows
-- that come due have a copy, so that each time finds its own by an index. See docs/adr/0015.
create function timeline_of(clock_id uuid) returns uuid immutable parallel safe language sql
    return coalesce(clock_id, '00000000-0000-0000-0000-000000000000');

create table organization (
    organization_id uuid primary key,
    catalog_key text not null references catalog,
    name text not null,
    currency text not null,
    time_zone text not null,
    clock_id uuid references test_clock,
    membership_limit integer check (membership_limit >= 0),
    payment_method text,
    allowed_domains text[] not null default '{}' check (cardinality(allowed_domains) <= 100),
    parked_at timestamptz,
    parked_reason text,
    -- An operator has agreed that periods up to here may be billed late.
    catch_up_until timestamptz,
    created_at timestamptz not null,
    version integer not null default 1,
    timeline uuid not null generated always as (timeline_of(clock_id)) stored,
    constraint organization_timeline unique (organization_id, timeline)
);
create index organization_by_clock on organization (clock_id) where clock_id is not null;

-- Locked last: the counters behind gapless numbers, and the credit the vendor owes the organization.
create table billing_account (
    organization_id uuid primary key references organization,
    invoice_prefix text not null constraint invoice_prefix_once unique,
    invoice_count integer not null default 0,
    credit_note_count integer not null default 0,
    balance_minor bigint not null default 0 constraint balance_not_negative check (balance_minor >= 0)
);

create table user_account (
    user_id uuid primary key,
    external_id text not null constraint user_external_id_once unique,
    created_at timestamptz not null
);

create table member (
    organization_id uuid not null references organization,
    member_id uuid not null,
    user_id uuid not null references user_account,
    email text not null,
    name text not null,
    role text not null check (role in ('primary_owner', 'owner', 'admin', 'member')),
    may_bill boolean not null default false,
    standing text not null check (standing in ('active', 'suspended', 'removed')),
    source text not null,
    joined_at timestamptz not null,
    removed_at timestamptz,
    version integer not null default 1,
    primary key (organization_id, member_id),
    constraint member_once unique (organization_id, user_id)
) with (fillfactor = 90);
create unique index member_email_once on member (organization_id, email) where standing <> 'removed';
create unique index primary_owner_once on member (organization_id)
    where role = 'primary_owner' and standing <> 'removed';
create index member_of_user on member (user_id);
-- What a page of members is read by.
create index member_by_standing on member (organization_id, standing, member_id);
create index member_by_role on member (organization_id, role, member_id) where standing <> 'removed';

create table subscription (
    organization_id uuid not null,
    subscription_id uuid not null,
    payer_member_id uuid,
    plan_version_id uuid not null references plan_version,
    price_key text not null,
    overrides jsonb,
    -- With what the paying member pays; the organization's own subscription uses the organization's.
    payment_method text,
    status text not null check (status in
        ('incomplete', 'scheduled', 'trialing', 'active', 'canceling', 'past_due', 'ended')),
    anchor_on date not null,
    period_number integer not null,
    period_starts_at timestamptz not null,
    period_ends_at timestamptz not null,
    term_ends_at timestamptz not null,
    trial_ends_at timestamptz,
    cancel_at timestamptz,
    past_due_since timestamptz,
    grace_ends_at timestamptz,
    ended_at timestamptz,
    due_at timestamptz,
    contract_id uuid,
    -- The percentage off what is bought in the running period; see discount.
    discount_basis_points integer not null default 0 check (discount_basis_points between 0 and 10000),
    started_at timestamptz not null,
    version integer not null default 1,
    timeline uuid not null default timeline_of(null),
    primary key (organization_id, subscription_id),
    foreign key (organization_id, timeline) references organization (organization_id, timeline),
    foreign key (organization_id, payer_member_id) references member (organization_id, member_id),
    constraint subscription_period_not_empty check (period_starts_at < period_ends_at),
    constraint subscription_due_unless_ended check ((status = 'ended') = (due_at is null))
) with (fillfactor = 80);
create unique index subscription_once on subscription (organization_id)
    where payer_member_id is null and status not in ('ended', 'scheduled');
create unique index member_subscription_once on subscription (organization_id, payer_member_id)
    where payer_member_id is not null and status <> 'ended';
create index subscription_due on subscription (timeline, due_at) where due_at is not null;

-- One row per period that was begun; the key makes a renewal happen once.
create table period (
    organization_id uuid not null,
    subscription_id uuid not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    number integer not null,
    plan_version_id uuid not null,
    -- Carried: what is left of a period that was billed in another organization.
    kind text not null check (kind in ('trial', 'paid', 'carried')),
    -- What was off when it began: by which discount, and what its fixed amount came to.
    discount_id uuid,
    discount_minor bigint not null default 0 check (discount_minor >= 0),
    constraint period_once primary key (organization_id, subscription_id, starts_at),
    foreign key (organization_id, subscription_id) references subscription,
    constraint period_not_empty check (starts_at < ends_at)
);

-- Granted by an account manager, one at a time; a share of each line or an amount of each invoice.
create table discount (
    organization_id uuid not null,
    discount_id uuid not null,
    subscription_id uuid not null,
    basis_points integer not null check (basis_points between 0 and 10000),
    amount_minor bigint not null check (amount_minor >= 0),
    periods integer check (periods > 0),
    used integer not null default 0 check (used >= 0),
    until timestamptz,
    created_at timestamptz not null,
    ended_at timestamptz,
    ended_because text check (ended_because in
        ('removed', 'replaced', 'plan', 'price', 'over', 'subscription')),
    version integer not null,
    primary key (organization_id, discount_id),
    foreign key (organization_id, subscription_id) references subscription,
    constraint discount_is_of_one_kind check ((basis_points > 0) <> (amount_minor > 0)),
    constraint discount_not_overused check (used <= periods),
    constraint discount_ends_for_a_reason check ((ended_at is null) = (ended_because is null))
);
create unique index discount_once on discount (organization_id, subscription_id) where ended_at is null;
alter table period add foreign key (organization_id, discount_id) references discount;

create table seat_pool (
    organization_id uuid not null,
    pool_id uuid not null,
    subscription_id uuid not null,
    payer_member_id uuid,
    seat_type text not null,
    rank integer not null,
    capacity text not null check (capacity in
        ('purchased', 'plan_limit', 'unlimited', 'membership_limit')),
    -- Whether members sit here by being members, so that a seat alone cannot be taken away.
    every_member boolean not null default false,
    purchased integer not null constraint seat_pool_purchased check (purchased between 0 and 1000000),
    assigned integer not null default 0 constraint seat_pool_assigned check (assigned >= 0),
    held integer not null default 0 constraint seat_pool_held check (held >= 0),
    -- Live seat requests this pool could serve: nobody may wait while a seat is free.
    waiting integer not null default 0 constraint seat_pool_waiting check (waiting >= 0),
    -- A scheduled change to a smaller plan blocks new seats above its limit before it comes.
    ceiling integer not null default 1000000,
    state text not null default 'open' check (state in ('open', 'over_limit')),
    -- What the latest effective day has billed so far; see domain/prices.adjust.
    billed_at timestamptz not null,
    paid integer not null default 0,
    level integer not null default 0,
    billed_minor bigint not null default 0,
    primary key (organization_id, pool_id),
    foreign key (organization_id, subscription_id) references subscription,
    foreign key (organization_id, payer_member_id) references member (organization_id, member_id),
    constraint seat_pool_not_oversold check (assigned + held <= purchased or state = 'over_limit'),
    constraint seat_pool_over_limit_ends check (assigned + held > purchased or state = 'open')
) with (fillfactor = 50);
create unique index seat_pool_once on seat_pool (organization_id, seat_type)
    where payer_member_id is null;
create unique index member_seat_pool_once on seat_pool (organization_id, payer_member_id, seat_type)
    where payer_member_id is not null;
-- Led by the subscription, so that no plan takes it for a look-up of one pool among many.
create index seat_pool_of_subscription on seat_pool (subscription_id);

-- Purchased seats over time: their sum up to an instant is what the pool owned then.
create table seat_ledger (
    organization_id uuid not null,
    pool_id uuid not null,
    entry_id uuid not null,
    delta integer not null check (delta <> 0),
    effective_at timestamptz not null,
    cause text not null,
    cause_id uuid not null,
    primary key (organization_id, pool_id, entry_id),
    foreign key (organization_id, pool_id) references seat_pool
);

create table assignment (
    organization_id uuid not null,
    member_id uuid not null,
    assignment_id uuid not null,
    pool_id uuid not null,
    exclusivity_set text not null default 'seat',
    assigned_at timestamptz not null,
    ended_at timestamptz,
    rule text not null,
    ended_rule text,
    primary key (organization_id, member_id, assignment_id),
    foreign key (organization_id, member_id) references member,
    foreign key (organization_id, pool_id) references seat_pool,
    constraint assignment_not_backwards check (ended_at is null or ended_at >= assigned_at)
) with (fillfactor = 80);
create unique index assignment_live_once on assignment (organization_id, member_id, exclusivity_set)
    where ended_at is null;
-- Only for who says its condition, which is always true: a plan made while the table was empty would otherwise take
-- it for the look-up of one member's seat. See docs/adr/0011.
create index assignment_history on assignment (organization_id, assignment_id)
    where assigned_at > '-infinity';

create table invitation (
    organization_id uuid not null,
    invitation_id uuid not null,
    email text not null,
    role text not null check (role in ('primary_owner', 'owner', 'admin', 'member')),
    seat_type text,
    token_hash bytea not null,
    state text not null check (state in ('pending', 'accepted', 'revoked', 'expired')),
    invited_by text not null,
    created_at timestamptz not null,
    sent_at timestamptz not null,
    expires_at timestamptz not null,
    closed_at timestamptz,
    member_id uuid,
    version integer not null default 1,
    timeline uuid not null default timeline_of(null),
    primary key (organization_id, invitation_id),
    foreign key (organization_id, timeline) references organization (organization_id, timeline),
    foreign key (organization_id, member_id) references member,
    constraint invitation_token_once unique (organization_id, token_hash)
);
create unique index invitation_email_once on invitation (organization_id, email)
    where state = 'pending';
create index invitation_due on invitation (timeline, expires_at) where state = 'pending';
create index invitation_overdue on invitation (organization_id, expires_at, invitation_id)
    where state = 'pending';
create index invitation_by_state on invitation (organization_id, state, invitation_id);

create table hold (
    organization_id uuid not null,
    pool_id uuid not null,
    hold_id uuid not null,
    invitation_id uuid not null,
    held_at timestamptz not null,
    released_at timestamptz,
    outcome text check (outcome in ('accepted', 'revoked', 'expired', 'released')),
    primary key (organization_id, pool_id, hold_id),
    foreign key (organization_id, pool_id) references seat_pool,
    foreign key (organization_id, invitation_id) references invitation,
    constraint hold_ends_with_outcome check ((released_at is null) = (outcome is null))
);
create unique index hold_live_once on hold (organization_id, invitation_id) where released_at is null;

create table seat_request (
    organization_id uuid not null,
    request_id uuid not null,
    member_id uuid not null,
    seat_type text,
    choice text not null check (choice in ('highest', 'lowest')),
    state text not null check (state in ('waiting', 'served', 'canceled')),
    reason text not null,
    queued_at timestamptz not null,
    closed_at timestamptz,
    timeline uuid not null default timeline_of(null),
    primary key (organization_id, request_id),
    foreign key (organization_id, timeline) references organization (organization_id, timeline),
    foreign key (organization_id, member_id) references member
);
create unique index seat_request_waiting_once on seat_request (organization_id, member_id)
    where state = 'waiting';
-- Only for who says their condition, which is always true, as above.
create index seat_request_queue on seat_request (organization_id, queued_at, request_id)
    where state = 'waiting' and queued_at > '-infinity';
create index seat_request_page on seat_request (organization_id, request_id)
    where state = 'waiting' and queued_at > '-infinity';
create index seat_request_purchase on seat_request (timeline, queued_at)
    where state = 'waiting' and reason = 'purchase';

create table quote (
    organization_id uuid not null references organization,
    quote_id uuid not null,
    command jsonb not null,
    offer jsonb not null,
    due_now_minor bigint not null,
    created_at timestamptz not null,
    local_day date not null,
    expires_at timestamptz not null,
    primary key (organization_id, quote_id)
);

create table change (
    organization_id uuid not null,
    change_id uuid not null,
    subscription_id uuid,
    kind text not null,
    state text not null check (state in
        ('awaiting_payment', 'scheduled', 'applied', 'canceled', 'failed')),
    command jsonb not null,
    quote_id uuid,
    slot text,
    effective_at timestamptz not null,
    requested_at timestamptz not null,
    closed_at timestamptz,
    actor text not null,
    invoice_id uuid,
    failure jsonb,
    effect jsonb not null,
    -- Which request this is, so that a repeated one finds its own change after a crash.
    request_key text,
    request_hash bytea,
    -- The hash of the resume token whose action was done after it, so that nobody pays for that again.
    resume text,
    version integer not null default 1,
    timeline uuid not null default timeline_of(null),
    primary key (organization_id, change_id),
    foreign key (organization_id, timeline) references organization (organization_id, timeline),
    constraint change_request_once unique (organization_id, request_key),
    foreign key (organization_id, subscription_id) references subscription,
    foreign key (organization_id, quote_id) references quote,
    constraint change_scheduled_has_slot check (state <> 'scheduled' or slot is not null)
);
create unique index change_quote_once on change (organization_id, quote_id)
    where quote_id is not null and state in ('awaiting_payment', 'scheduled', 'applied');
create unique index change_paying_once on change (organization_id, subscription_id)
    where state = 'awaiting_payment';
create unique index change_slot_once on change (organization_id, subscription_id, slot)
    where state = 'scheduled';
create index change_resumed on change (organization_id, resume) where resume is not null;
create index change_due on change (effective_at) where state = 'scheduled';
create index change_paying on change (timeline, requested_at) where state = 'awaiting_payment';
create index change_by_state on change (organization_id, state, change_id);

create table contract (
    organization_id uuid not null,
    contract_id uuid not null,
    subscription_id uuid not null,
    kind text not null check (kind in ('monthly', 'annual_upfront', 'annual')),
    state text not null check (state in ('active', 'unsigned', 'ended')),
    account_manager text not null,
    net_terms_days integer not null check (net_terms_days between 0 and 365),
    overdue_grace_days integer check (overdue_grace_days between 0 and 365),
    next_terms jsonb,
    signed_until timestamptz not null,
    unsigned_since timestamptz,
    created_at timestamptz not null,
    ended_at timestamptz,
    -- What it had agreed on when it ended; until then its subscription says so.
    last_terms jsonb,
    version integer not null default 1,
    constraint contract_ended_at_its_end check
        ((state = 'ended') = (ended_at is not null) and (state = 'ended') = (last_terms is not null)),
    primary key (organization_id, contract_id),
    foreign key (organization_id, subscription_id) references subscription
);
create unique index contract_once on contract (organization_id, subscription_id)
    where state <> 'ended';
alter table subscription add foreign key (organization_id, contract_id) references contract;

create table amendment (
    organization_id uuid not null,
    amendment_id uuid not null,
    contract_id uuid not null,
    state text not null check (state in
        ('requested', 'quoted', 'accepted', 'scheduled', 'applied', 'declined', 'expired')),
    terms jsonb not null,
    note text not null,
    offer jsonb,
    requested_by text not null,
    quoted_by text,
    decided_by text,
    created_at timestamptz not null,
    expires_at timestamptz,
    effective_at timestamptz,
    closed_at timestamptz,
    change_id uuid,
    version integer not null default 1,
    timeline uuid not null default timeline_of(null),
    primary key (organization_id, amendment_id),
    foreign key (organization_id, timeline) references organization (organization_id, timeline),
    foreign key (organization_id, contract_id) references contract,
    foreign key (organization_id, change_id) references change
);
create index amendment_due on amendment (timeline, expires_at) where state in ('quoted', 'requested');
create index amendment_by_state on amendment (organization_id, state, amendment_id);

create table invoice (
    organization_id uuid not null,
    invoice_id uuid not null,
    subscription_id uuid not null,
    number text,
    state text not null check (state in ('draft', 'discarded', 'open', 'paid', 'void')),
    cause text not null,
    cause_id text not null,
    currency text not null,
    subtotal_minor bigint not null,
    tax_minor bigint not null default 0,
    balance_minor bigint not null default 0 check (balance_minor >= 0),
    due_minor bigint not null check (due_minor >= 0),
    created_at timestamptz not null,
    issued_at timestamptz,
    due_at timestamptz,
    closed_at timestamptz,
    attempts integer not null default 0,
    next_attempt_at timestamptz,
    content_hash bytea,
    timeline uuid not null default timeline_of(null),
    primary key (organization_id, invoice_id),
    foreign key (organization_id, timeline) references organization (organization_id, timeline),
    foreign key (organization_id, subscription_id) references subscription,
    constraint invoice_cause_once unique (organization_id, cause, cause_id),
    constraint invoice_number_once unique (organization_id, number),
    constraint invoice_numbered_when_issued
        check ((state in ('draft', 'discarded')) = (number is null)),
    constraint invoice_adds_up check (
        subtotal_minor + tax_minor - balance_minor = due_minor)
-- Room for the seal in the same page: it follows the insert at once and touches no index.
) with (fillfactor = 60);
create index invoice_attempt_due on invoice (timeline, next_attempt_at) where next_attempt_at is not null;
create index invoice_by_state on invoice (organization_id, state, invoice_id);

create table invoice_line (
    organization_id uuid not null,
    invoice_id uuid not null,
    line_number integer not null,
    kind text not null check (kind in
        ('base', 'seats', 'added_seats', 'returned_seats', 'credit', 'carried_to_balance')),
    seat_type text,
    plan_key text not null,
    plan_version integer not null,
    price_key text not null,
    quantity integer not null,
    quantity_before integer not null default 0,
    unit_minor bigint,
    part bigint not null,
    whole bigint not null,
    basis text not null,
    full_minor bigint not null,
    amount_minor bigint not null,
    period_starts_at timestamptz not null,
    period_ends_at timestamptz not null,
    effective_at timestamptz not null,
    assigned integer not null default 0,
    held integer not null default 0,
    discount_basis_points integer not null default 0 check (discount_basis_points between 0 and 10000),
    -- The line's part of a discount of a fixed amount; with the sign of the line.
    discount_fixed_minor bigint not null default 0,
    primary key (organization_id, invoice_id, line_number),
    foreign key (organization_id, invoice_id) references invoice,
    constraint invoice_line_discount_fits check (abs(discount_fixed_minor) <= abs(full_minor)),
    constraint invoice_line_discount_of_one_kind check (discount_basis_points = 0 or discount_fixed_minor = 0)
);

-- What the content hash of a finalized invoice is made of: each column that never changes afterwards. A row as
-- text keeps nulls and quotes what it holds, so no two contents read alike; instants are seconds since 1970,
-- so no setting of a session matters. Another column of either table belongs in here or in the list of
-- mutable ones in the tests; what was sealed before has to be sealed anew with it.
create view invoice_seal as
select i.organization_id, i.invoice_id,
       sha256(convert_to(row(i.organization_id, i.invoice_id, i.subscription_id, i.number, i.cause, i.cause_id,
           i.currency, i.subtotal_minor, i.tax_minor, i.balance_minor, i.due_minor, extract(epoch from i.created_at),
           extract(epoch from i.issued_at), extract(epoch from i.due_at))::text || coalesce((
        select string_agg(row(l.line_number, l.kind, l.seat_type, l.plan_key, l.plan_version, l.price_key, l.quantity,
                   l.quantity_before, l.unit_minor, l.part, l.whole, l.basis, l.full_minor, l.amount_minor,
                   extract(epoch from l.period_starts_at), extract(epoch from l.period_ends_at),
                   extract(epoch from l.effective_at), l.assigned, l.held, l.discount_basis_points,
                   l.discount_fixed_minor)::text, '' order by l.line_number)
          from invoice_line l
         where l.organization_id = i.organization_id and l.invoice_id = i.invoice_id), ''), 'UTF8')) as content_hash
  from invoice i;

create table payment (
    organization_id uuid not null,
    payment_id uuid not null,
    invoice_id uuid not null,
    provider text not null,
    method text not null,
    provider_key text not null constraint payment_provider_key_once unique,
    provider_reference text,
    state text not null check (state in
        ('pending', 'unknown', 'succeeded', 'declined', 'action_required', 'canceled')),
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null,
    failure text,
    attempted_at timestamptz not null,
    settled_at timestamptz,
    -- The money came for what was not to be paid any more, and is on the balance of who paid.
    credited boolean not null default false,
    primary key (organization_id, payment_id),
    foreign key (organization_id, invoice_id) references invoice,
    constraint payment_credited_came check (state = 'succeeded' or not credited)
);
create unique index payment_succeeds_once on payment (organization_id, invoice_id)
    where state = 'succeeded' and not credited;
create index payment_of_invoice on payment (organization_id, invoice_id);
create index payment_in_flight on payment (organization_id, invoice_id)
    where state in ('pending', 'unknown', 'action_required');

-- The sandbox provider's own books: what a real provider would keep on its side.
create table sandbox_charge (
    provider_key text primary key,
    amount_minor bigint not null,
    currency text not null,
    outcome text not null,
    charged_at timestamptz not null
);

create table credit_note (
    organization_id uuid not null,
    credit_note_id uuid not null,
    invoice_id uuid not null,
    number text not null,
    currency text not null,
    amount_minor bigint not null check (amount_minor > 0),
    reason text not null,
    cause text not null,
    cause_id text not null,
    created_at timestamptz not null,
    primary key (organization_id, credit_note_id),
    foreign key (organization_id, invoice_id) references invoice,
    constraint credit_note_cause_once unique (organization_id, cause, cause_id),
    constraint credit_note_number_once unique (organization_id, number)
);
create index credit_note_of_invoice on credit_note (organization_id, invoice_id);

-- The credit the vendor owes a member who pays their own seat; written under the lock of billing_account.
create table member_account (
    organization_id uuid not null,
    member_id uuid not null,
    balance_minor bigint not null constraint member_balance_not_negative check (balance_minor >= 0),
    primary key (organization_id, member_id),
    foreign key (organization_id, member_id) references member
);

-- Credit owed to the organization, or to a member; positive grants it, negative uses it on an invoice.
create table balance_entry (
    organization_id uuid not null references organization,
    entry_id uuid not null,
    amount_minor bigint not null check (amount_minor <> 0),
    currency text not null,
    reason text not null,
    invoice_id uuid,
    credit_note_id uuid,
    created_at timestamptz not null,
    -- The payment whose money this is, because it came late.
    payment_id uuid,
    -- Whose it is; null where it is the organization's.
    member_id uuid,
    primary key (organization_id, entry_id),
    foreign key (organization_id, invoice_id) references invoice,
    foreign key (organization_id, credit_note_id) references credit_note,
    foreign key (organization_id, payment_id) references payment,
    foreign key (organization_id, member_id) references member
);
create index balance_entry_of_organization on balance_entry (organization_id, entry_id) where member_id is null;
create unique index balance_entry_payment_once on balance_entry (organization_id, payment_id)
    where payment_id is not null;

-- Audit and outbox in one, written in the transaction it tells of. Readers stay below the oldest open
-- transaction, so a serial id never hides a late commit.
create table event (
    organization_id uuid not null,
    event_id bigint generated always as identity,
    transaction_id xid8 not null default pg_current_xact_id(),
    kind text not null,
    subject_id uuid not null,
    member_id uuid,
    occurred_at timestamptz not null,
    actor text not null,
    request_id uuid,
    facts jsonb,
    -- An id alone gives no order to read in: of two open transactions the later can take the lower id.
    primary key (transaction_id, event_id)
);
create index event_of_organization on event (organization_id, transaction_id, event_id);

create table idempotency_key (
    principal_id uuid not null,
    -- Never the key itself: a sealed answer opens with it.
    key_hash bytea not null,
    request_hash bytea not null,
    state text not null check (state in ('working', 'done')),
    status integer,
    body bytea,
    sealed boolean not null default false,
    created_at timestamptz not null,
    primary key (principal_id, key_hash)
);
create index idempotency_key_by_age on idempotency_key (state, created_at);
