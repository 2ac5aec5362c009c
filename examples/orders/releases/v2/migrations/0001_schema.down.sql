-- The journal stays: it is the record of what happened here.
drop view order_report;
drop table payments;
drop table order_items;
drop table orders;
drop table customers;
insert into audit.change_ledger (what) values ('down 0001_schema');
