-- claim: Take the key for this transaction and read what stands under it; `mine` is false while another holds it.
select pg_try_advisory_xact_lock(hashtextextended(:principal_id::uuid::text || ' ' || :key::text, 7)) as mine,
       k.request_hash, k.state, k.status, k.body, k.created_at
  from (values (true)) as one (present)
  left join idempotency_key k on k.principal_id = :principal_id and k.key = :key

-- keep: Keep an answer under its key.
insert into idempotency_key (principal_id, key, request_hash, state, status, body, created_at)
values (:principal_id, :key, :request_hash, 'done', :status, :body, :now)
on conflict (principal_id, key) do update
   set state = 'done', status = excluded.status, body = excluded.body
 where idempotency_key.request_hash = excluded.request_hash

-- begin: Note that work under a key has begun and may outlive this transaction.
insert into idempotency_key (principal_id, key, request_hash, state, created_at)
values (:principal_id, :key, :request_hash, 'working', :now)
on conflict (principal_id, key) do update set created_at = excluded.created_at

-- forget: Free a key whose request was refused before it did anything.
delete from idempotency_key where principal_id = :principal_id and key = :key and state = 'working'
