-- M-10: Money that came late is credited once, whole, to who paid, is told of, and its invoice is not waiting for it.
-- Columns: payment_id; credited_minor what its entry says; amount_minor of the payment; state of its invoice.
-- Cost: one pass over credited payments and their entries, joined by hash with invoices, subscriptions and events.
-- Parks: yes
select coalesce(p.organization_id, e.organization_id) as organization_id,
       coalesce(p.payment_id, e.payment_id) as payment_id, e.amount_minor as credited_minor, p.amount_minor, p.state
  from (select y.organization_id, y.payment_id, y.invoice_id, y.amount_minor, y.currency, i.state, s.payer_member_id
          from payment y
          join invoice i on i.organization_id = y.organization_id and i.invoice_id = y.invoice_id
          join subscription s on s.organization_id = i.organization_id and s.subscription_id = i.subscription_id
         where y.credited) p
  full join (select * from balance_entry where payment_id is not null and amount_minor > 0) e
    on e.organization_id = p.organization_id and e.payment_id = p.payment_id
  left join (select organization_id, subject_id, count(*) as n
               from event where kind = 'payment.credited' group by 1, 2) v
    on v.organization_id = p.organization_id and v.subject_id = p.payment_id
 where e.amount_minor is distinct from p.amount_minor or e.currency is distinct from p.currency
    or e.member_id is distinct from p.payer_member_id or e.invoice_id is distinct from p.invoice_id
    or p.state in ('draft', 'open') or v.n is distinct from 1
