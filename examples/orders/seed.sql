-- 2,000 customers, 20,000 orders, 50,000 items; the same rows on every machine (md5 of the number, no chance, no clock).
-- Years of imports left their marks:
--   40 orders whose total has the wrong sign      the fix turns it
--   25 items whose quantity was lost (0)          it was 1: the fix puts it back
--    2 orders with the status 'unknown'           people decide
-- Once these are put right every order's total is the sum of its items.
set timezone = 'UTC';

create function pg_temp.dice(what text, n bigint, sides int) returns int immutable language sql as
  $$ select (('x' || substr(md5(what || n::text), 1, 7))::bit(28)::int % sides) $$;

insert into customers (id, name, email)
select n, 'Customer ' || n, 'customer-' || n || '@example.org' from generate_series(1, 2000) n;

insert into orders (id, customer_id, status, total_cents, created_at)
select n, 1 + pg_temp.dice('customer', n, 2000),
  case when pg_temp.dice('status', n, 100) < 5 then 'cancelled' when pg_temp.dice('status', n, 100) < 15 then 'pending'
       when pg_temp.dice('status', n, 100) < 40 then 'paid' else 'shipped' end,
  0, timestamptz '2024-01-01 00:00:00+00' + n * interval '25 minutes'
from generate_series(1, 20000) n;

-- 2 items for every even order, 3 for every odd one: 50,000.
insert into order_items (order_id, sku, qty, price_cents)
select n, 'sku-' || lpad((1 + (pg_temp.dice('sku', n, 100) + 37 * i) % 300)::text, 3, '0'),
  1 + pg_temp.dice('qty' || i::text, n, 3), 100 + pg_temp.dice('price' || i::text, n, 9900)
from generate_series(1, 20000) n, generate_series(1, 2 + n % 2) i;

-- The 25 items whose quantity was lost were single ones, each in another order.
update order_items i set qty = 1
where order_id % 800 = 7 and sku = (select min(sku) from order_items m where m.order_id = i.order_id);

update orders o set total_cents = s.total
from (select order_id, sum(qty * price_cents) as total from order_items group by order_id) s
where s.order_id = o.id;

insert into payments (order_id, outcome, at)
select id, 'paid', created_at + interval '10 minutes' from orders where status in ('paid', 'shipped') order by id;

update order_items i set qty = 0
where order_id % 800 = 7 and sku = (select min(sku) from order_items m where m.order_id = i.order_id);
update orders set total_cents = -total_cents where id % 500 = 11;
update orders set status = 'unknown' where id in (4242, 13131);

select setval(pg_get_serial_sequence('customers', 'id'), 2000), setval(pg_get_serial_sequence('orders', 'id'), 20000);
reset timezone;
analyze;
