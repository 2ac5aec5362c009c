-- FAULT: all three names are there, but order_items_qty_positive lets every quantity pass.
-- A check by name is content; only a refused write finds it.
-- squawk-ignore-file require-lock-timeout, require-statement-timeout -- the migrator sets both, with its own patience
-- squawk-ignore-file prefer-robust-stmts, constraint-missing-not-valid -- one transaction; the tables are read in milliseconds
alter table orders add constraint orders_total_non_negative check (total_cents >= 0) not valid;
alter table order_items add constraint order_items_qty_positive check (qty is not null) not valid;
alter table orders add constraint orders_status_known
  check (status in ('pending', 'paid', 'shipped', 'cancelled')) not valid;

alter table orders validate constraint orders_total_non_negative;
alter table order_items validate constraint order_items_qty_positive;
alter table orders validate constraint orders_status_known;

insert into audit.change_ledger (what) values ('up 0002_order_guards');
