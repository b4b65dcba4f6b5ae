-- I-5: No request stays in progress: what was begun under a key and cut off is finished or forgotten.
-- Columns: key_hash; principal_id whose key it is; created_at. The organization is always null: keys belong to principals.
-- Cost: one pass over idempotency keys.
-- Parks: no
select null::uuid as organization_id, key_hash, principal_id, created_at
  from idempotency_key
 where (state = 'working' and created_at < :now::timestamptz - interval '25 hours')
    or (state = 'done') <> (body is not null and status is not null)
