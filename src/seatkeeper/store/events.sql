-- page: Events in the order in which their transactions began; none that a transaction still open could overtake.
select transaction_id::text::bigint as transaction_number, event_id, organization_id, kind, subject_id, member_id,
       occurred_at, actor, request_id, facts, place, fits
  from (select e.*, row_number() over (order by transaction_id, event_id) as place,
               (:kind::text is null or kind = :kind)
               and (:kind_start::text is null or starts_with(kind, :kind_start))
               and (:member_id::uuid is null or member_id = :member_id)
               and (:since::timestamptz is null or occurred_at >= :since)
               and (:until::timestamptz is null or occurred_at < :until) as fits
          from ((select * from event
                  where :organization_id::uuid is null and transaction_id < pg_snapshot_xmin(pg_current_snapshot())
                    and (transaction_id, event_id) > (:after_transaction::bigint::text::xid8, :after_event::bigint)
                  order by transaction_id, event_id limit :walk)
                union all
                (select * from event
                  where organization_id = :organization_id
                    and transaction_id < pg_snapshot_xmin(pg_current_snapshot())
                    and (transaction_id, event_id) > (:after_transaction::bigint::text::xid8, :after_event::bigint)
                  order by transaction_id, event_id limit :walk)) e) w
 where fits or place = :walk
 order by transaction_id, event_id
 limit :page

-- audit: The events of one organization, newest first; none that a transaction still open could overtake.
select transaction_id::text::bigint as transaction_number, event_id, organization_id, kind, subject_id, member_id,
       occurred_at, actor, request_id, facts, place, fits
  from (select e.*, row_number() over (order by transaction_id desc, event_id desc) as place,
               (:kind::text is null or kind = :kind)
               and (:kind_start::text is null or starts_with(kind, :kind_start))
               and (:member_id::uuid is null or member_id = :member_id)
               and (:since::timestamptz is null or occurred_at >= :since)
               and (:until::timestamptz is null or occurred_at < :until) as fits
          from (select * from event
                 where organization_id = :organization_id
                   and transaction_id < pg_snapshot_xmin(pg_current_snapshot())
                   and (transaction_id, event_id) < (:before_transaction::bigint::text::xid8, :before_event::bigint)
                 order by transaction_id desc, event_id desc limit :walk) e) w
 where fits or place = :walk
 order by transaction_id desc, event_id desc
 limit :page
