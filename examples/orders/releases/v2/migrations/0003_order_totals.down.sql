drop index orders_unpaid_idx;
alter table orders drop constraint orders_discount_within_total;
alter table orders alter column total_cents drop default;
alter table orders drop column discount_cents;

insert into audit.change_ledger (what) values ('down 0003_order_totals');
