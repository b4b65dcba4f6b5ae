-- M-18: A change is closed exactly when it waits for nothing; what waits for money has a draft or open invoice and a
-- payment under way, what is done has no invoice left unissued, what failed or was canceled took no money.
-- Columns: change_id and its state; closed_at; invoice its state; payments that may still succeed.
-- Cost: one pass over changes, joined with invoices and payments by hash.
-- Parks: yes
select c.organization_id, c.change_id, c.state, c.closed_at, i.state as invoice, coalesce(p.n, 0) as payments
  from change c
  left join invoice i on i.organization_id = c.organization_id and i.invoice_id = c.invoice_id
  left join (select organization_id, invoice_id, count(*) as n from payment
              where state in ('pending', 'unknown', 'action_required') group by 1, 2) p
    on p.organization_id = c.organization_id and p.invoice_id = c.invoice_id
 where (c.state in ('awaiting_payment', 'scheduled')) <> (c.closed_at is null)
    or (c.state = 'awaiting_payment' and (i.state is null or i.state not in ('draft', 'open') or p.n is null))
    or (c.state = 'applied' and i.state in ('draft', 'discarded'))
    or (c.state in ('failed', 'canceled') and i.state not in ('discarded', 'void'))
