-- by_hash: The live API key with that hash.
select key_id, name, vendor_role, scopes, organization_id
  from api_key
 where hash = :hash and revoked_at is null and (expires_at is null or expires_at > :now)

-- insert: Keep a new key's hash.
insert into api_key (key_id, name, hash, vendor_role, scopes, organization_id, created_at, expires_at)
values (:key_id, :name, :hash, :vendor_role, :scopes, :organization_id, :now, :expires_at)

-- page: Keys of one organization or all, newest first, without their secrets.
select key_id, name, vendor_role, scopes, organization_id, created_at, expires_at, revoked_at
  from ((select * from api_key where :organization_id::uuid is null and key_id < :before
          order by key_id desc limit :page)
        union all
        (select * from api_key where organization_id = :organization_id and key_id < :before
          order by key_id desc limit :page)) k
 order by key_id desc
 limit :page

-- revoke: End a key; revoking twice keeps the first instant.
update api_key set revoked_at = coalesce(revoked_at, :now)
 where key_id = :key_id and (:organization_id::uuid is null or organization_id = :organization_id)
returning key_id, name, vendor_role, scopes, organization_id, created_at, expires_at, revoked_at

-- any_key: Whether there is any usable key at all.
select exists (select 1 from api_key where revoked_at is null) as found
