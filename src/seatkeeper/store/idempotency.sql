-- claim: Take the key for this transaction and read what stands under it; `mine` is false while another holds it.
select pg_try_advisory_xact_lock(
           hashtextextended(:principal_id::uuid::text || ' ' || encode(:key_hash::bytea, 'hex'), 7)) as mine,
       k.request_hash, k.state, k.status, k.body, k.sealed, k.created_at
  from (values (true)) as one (present)
  left join idempotency_key k on k.principal_id = :principal_id and k.key_hash = :key_hash

-- keep: Keep an answer under its key.
insert into idempotency_key (principal_id, key_hash, request_hash, state, status, body, sealed, created_at)
values (:principal_id, :key_hash, :request_hash, 'done', :status, :body, :sealed, :now)
on conflict (principal_id, key_hash) do update
   set state = 'done', status = excluded.status, body = excluded.body, sealed = excluded.sealed
 where idempotency_key.request_hash = excluded.request_hash

-- begin: Note that work under a key has begun and may outlive this transaction.
insert into idempotency_key (principal_id, key_hash, request_hash, state, created_at)
values (:principal_id, :key_hash, :request_hash, 'working', :now)
on conflict (principal_id, key_hash) do update set created_at = excluded.created_at

-- forget: Free a key whose request was refused before it did anything; one that another request has taken stays.
delete from idempotency_key
 where principal_id = :principal_id and key_hash = :key_hash and request_hash = :request_hash and state = 'working'

-- free: Free keys under which nobody works any more, oldest first; who takes one up just now keeps it.
delete from idempotency_key k
 using (select principal_id, key_hash from idempotency_key where state = 'working' and created_at < :before
         order by created_at limit :most for update skip locked) old
 where k.principal_id = old.principal_id and k.key_hash = old.key_hash

-- drop: Drop answers from before an instant, oldest first.
delete from idempotency_key k
 using (select principal_id, key_hash from idempotency_key where state = 'done' and created_at < :before
         order by created_at limit :most for update skip locked) old
 where k.principal_id = old.principal_id and k.key_hash = old.key_hash
