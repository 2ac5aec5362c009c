// `node prepare-database.mjs --url postgres://… [--decided]`: brings an empty database to where v1 has been
// serving for years: migration 0001, its row in the ledger, the seed. All or nothing. Prints the counts as JSON.
//   --decided   nobody needs to decide anything: the two orders of unknown status are cancelled ones
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const here = import.meta.dirname;
const modules = process.env.ORDERS_MODULES;
const pg = createRequire(modules ? pathToFileURL(join(resolve(modules), 'package.json')) : import.meta.url)('pg');

const COUNTS = `select
  (select count(*)::int from customers) as customers, (select count(*)::int from orders) as orders,
  (select count(*)::int from order_items) as items,
  (select count(*)::int from orders where total_cents < 0) as negative_totals,
  (select count(*)::int from order_items where qty = 0) as zero_quantities,
  (select count(*)::int from orders where status = 'unknown') as unknown_statuses`;

const { values } = parseArgs({ options: { url: { type: 'string' }, decided: { type: 'boolean', default: false } } });
const url = values.url ?? process.env.DATABASE_URL;
if (!url) {
  console.error('say --url or set DATABASE_URL');
  process.exit(2);
}

const client = new pg.Client({ connectionString: url, application_name: 'orders-prepare' });
await client.connect();
try {
  await client.query('begin');
  await client.query(readFileSync(join(here, 'releases/v1/migrations/0001_schema.sql'), 'utf8'));
  await client.query("insert into schema_migrations (version) values ('0001_schema')");
  await client.query(readFileSync(join(here, 'seed.sql'), 'utf8'));
  if (values.decided) await client.query("update orders set status = 'cancelled' where status = 'unknown'");
  const counts = (await client.query(COUNTS)).rows[0];
  await client.query('commit');
  console.log(JSON.stringify(counts));
} finally {
  await client.end();
}
