-- squawk-ignore-file require-lock-timeout, require-statement-timeout -- the migrator sets both, with its own patience
-- squawk-ignore-file prefer-robust-stmts, constraint-missing-not-valid -- one transaction; the table is read in milliseconds
-- squawk-ignore-file require-concurrent-index-creation -- not possible in a transaction, and a matter of milliseconds
-- A discount, never more than the order is worth; and quick answers to "who has not paid yet".
-- `greatest` leaves a negative total to orders_total_non_negative: PostgreSQL asks its checks by name, and each says one thing.
alter table orders add column discount_cents bigint not null default 0;
alter table orders alter column total_cents set default 0;
alter table orders add constraint orders_discount_within_total
  check (discount_cents between 0 and greatest(total_cents, 0)) not valid;
alter table orders validate constraint orders_discount_within_total;
create index orders_unpaid_idx on orders (created_at) where status = 'pending';

insert into audit.change_ledger (what) values ('up 0003_order_totals');
