-- X-2: Every foreign key between tables of organizations carries organization_id on both sides.
-- Columns: name of the constraint; on_table it is on; to_table it points to. The organization is always null.
-- Cost: the catalog only.
-- Parks: no
select null::uuid as organization_id, c.conname as name, c.conrelid::regclass::text as on_table,
       c.confrelid::regclass::text as to_table
  from pg_constraint c
  join pg_attribute own on own.attrelid = c.conrelid and own.attname = 'organization_id'
  join pg_attribute far on far.attrelid = c.confrelid and far.attname = 'organization_id'
 where c.contype = 'f' and c.connamespace = 'public'::regnamespace
   and not exists (select 1 from unnest(c.conkey, c.confkey) as k (own_key, far_key)
                    where k.own_key = own.attnum and k.far_key = far.attnum)
