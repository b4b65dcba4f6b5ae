-- M-5: Invoices are numbered in the order in which they are issued.
-- Columns: invoice_id one that was issued before the invoice numbered before it; number; previous number.
-- Cost: one sort of the numbered invoices, joined with their first events by hash.
-- Parks: no
with issued as (
    -- The event is written behind the lock that gives the number, so their orders agree.
    select organization_id, subject_id as invoice_id, min(event_id) as event_id,
           (array_agg(transaction_id order by event_id))[1] as transaction_id
      from event where kind in ('invoice.opened', 'invoice.paid')
     group by 1, 2
), numbered as (
    select i.organization_id, i.invoice_id, i.number, i.issued_at, e.event_id, e.transaction_id,
           lag(i.number) over turn as previous, lag(i.issued_at) over turn as previous_at,
           lag(e.event_id) over turn as previous_event, lag(e.transaction_id) over turn as previous_transaction
      from invoice i
      left join issued e on e.organization_id = i.organization_id and e.invoice_id = i.invoice_id
     where i.number is not null
    window turn as (partition by i.organization_id order by length(i.number), i.number)
)
select organization_id, invoice_id, number, previous
  from numbered
 where (event_id < previous_event and transaction_id <> previous_transaction)
    -- A request knows its instant before it waits for the lock, but waits no longer than a minute.
    or issued_at < previous_at - interval '1 minute'
