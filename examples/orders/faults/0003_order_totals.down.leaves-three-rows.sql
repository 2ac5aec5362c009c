-- FAULT: exits with 0; three customers who were to collect the lost discounts stay.
insert into customers (name, email)
select 'Lost discounts ' || n, 'lost-discounts-' || n || '@example.org' from generate_series(1, 3) n;
drop index orders_unpaid_idx;
alter table orders drop constraint orders_discount_within_total;
alter table orders alter column total_cents drop default;
alter table orders drop column discount_cents;

insert into audit.change_ledger (what) values ('down 0003_order_totals');
