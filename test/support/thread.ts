// The thread of the first milestone: a small plan in which each command under way is a real psql that runs
// for seconds
// and prints nothing, and what is asked of the database's own ledger afterwards.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { query } from './stage.ts';

export const SLEEP_S = 2;

/** backup → check → migrate → forbidden write → restart, with a short soak. */
export const threadPlan = (environment: string, ref = 'slow'): string => `
soakgate: 1
service: orders
summary: The thread
kind: constraints
release: { ref: ${ref} }
commands: { env: { DATABASE_URL: { from: database }, ORDERS_MODULES: { env: ORDERS_MODULES } } }
migrations: { sql: { folder: migrations, ledger: schema_migrations, journal: audit.change_ledger, pending: [0002_order_guards, 0003_order_totals] } }
environments:
  ${environment}:
    url: http://127.0.0.1:8001
    services: [{ name: web, process: { command: [node, server.mjs], pid-file: web.pid, ready: /health } }]
    soak: { for: 10m, every: 1m, gap: at most 5m }
steps:
  - { step: backup, backup: { tool: pg_dump, format: custom, keep: 30d } }
  - { step: look, check: { command: [psql, -Xqc, select pg_sleep(${SLEEP_S})] } }
  - { step: migrate, migrate: { lock-timeout: 50ms, give-up-after: 2m, statement-timeout: 5m } }
  - { step: refused, forbidden: [{ table: orders, set: { total_cents: -1 }, by: orders_total_non_negative }] }
  - { step: switch, switch: release }
  - { step: restart, restart: [web] }
monitors: { site: { read: { http: { get: /health, status: 200 } }, metrics: { failures: { objective: exactly 0, alert: above 2 in a row } } } }
fallbacks: { downgrade: { to: recorded } }
matrix:
  - { when: { step: migrate }, do: downgrade, severity: high }
  - { when: rest, do: stop, severity: high }
`;

/** Makes both ways of the first migration sleep, so that they can be killed in the middle. */
export async function slowDown(checkout: string): Promise<void> {
  for (const name of ['0002_order_guards.sql', '0002_order_guards.down.sql']) {
    const path = join(checkout, 'migrations', name);
    await writeFile(path, `${await readFile(path, 'utf8')}\nselect pg_sleep(${SLEEP_S});\n`);
  }
}

/** How often the app's own SQL recorded each change; our own records are not asked. */
export async function ledger(database: string): Promise<Readonly<Record<string, number>>> {
  const rows = await query<{ what: string; n: string }>(
    database,
    "select what, count(*) as n from audit.change_ledger where what not like '%0001%' group by 1 order by 1",
  );
  return Object.fromEntries(rows.map((row) => [row.what, Number(row.n)]));
}

/** Objects that the two migrations make, as the catalog has them now. */
export async function traces(database: string): Promise<readonly string[]> {
  const rows = await query<{ name: string }>(
    database,
    `select conname as name from pg_constraint
      where conname in ('orders_total_non_negative', 'order_items_qty_positive', 'orders_status_known',
      'orders_discount_within_total')
     union all select version from schema_migrations where version > '0002' union all select 'column'
     from pg_attribute where attrelid = 'orders'::regclass and attname = 'discount_cents'
     and not attisdropped`,
  );
  return rows.map((row) => row.name).sort();
}

/** Sessions of Soakgate's that are at work on the cluster now. */
export async function sessionsAtWork(database: string): Promise<number> {
  const [row] = await query<{ n: string }>(
    database,
    "select count(*) as n from pg_stat_activity where application_name like 'sg:%'",
  );
  return Number(row?.n ?? 0);
}
