-- Facts about the shop that hold at any moment; one row, read as it stands.
select
  (select count(*) from payments where outcome is null and at < clock_timestamp() - interval '10 seconds'
     and at > clock_timestamp() - interval '1 hour') as stuck_payments,
  (select count(*) from orders o
    where o.created_at > clock_timestamp() - interval '1 hour'
      and o.total_cents is distinct from
        (select sum(i.qty * i.price_cents) from order_items i where i.order_id = o.id)) as wrong_totals;
