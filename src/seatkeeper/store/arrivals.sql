-- lock_now: Lock the organization's own subscription without waiting, because its pools are locked already.
select subscription_id from subscription
 where organization_id = :organization_id and payer_member_id is null and status not in ('ended', 'scheduled')
   for no key update nowait

-- wanted: How many wait for a seat that is to be bought for them, by what they want, longest first.
select seat_type, choice, count(*)::integer as people
  from seat_request
 where organization_id = :organization_id and state = 'waiting' and reason = 'purchase'
 group by seat_type, choice
 order by min(queued_at), seat_type

-- give_up: Let them wait without a purchase; the reason says why it came to nothing.
update seat_request set reason = :reason
 where organization_id = :organization_id and state = 'waiting' and reason = 'purchase'

-- due: Organizations on one clock where someone waits for a purchase, those who wait longest first.
select r.organization_id, o.catalog_key, o.currency, o.time_zone, o.clock_id
  from seat_request r
  join organization o on o.organization_id = r.organization_id
 where r.timeline = timeline_of(:clock_id) and r.state = 'waiting' and r.reason = 'purchase' and o.parked_at is null
   and not exists (select 1 from change c where c.organization_id = r.organization_id
        and c.state = 'awaiting_payment')
 group by r.organization_id, o.catalog_key, o.currency, o.time_zone, o.clock_id
 order by min(r.queued_at), r.organization_id
 limit :most
