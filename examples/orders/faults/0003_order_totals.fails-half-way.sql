-- FAULT: the column is added, then a misspelt name ends it. In one transaction nothing stays;
-- a migrator that commits each statement, or stamps before it knows, is found out.
-- squawk-ignore-file require-lock-timeout, require-statement-timeout, prefer-robust-stmts -- as in the good file
alter table orders add column discount_cents bigint not null default 0;
alter table orders add constraint orders_discount_within_total
  check (discount_cents between 0 and greatest(totl_cents, 0)) not valid;

insert into audit.change_ledger (what) values ('up 0003_order_totals');
