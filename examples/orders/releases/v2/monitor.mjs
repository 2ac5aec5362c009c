// `node monitor.mjs --json [--since RFC3339]`: how the shop does, from its database, as one JSON object.
//   orders_created     orders since that time (without --since: all)
//   pay_success_rate   0…1 over the attempts since then, reaching back to the newest 20 of the last day,
//                      because a rate of three says nothing; null when there was no attempt at all
//   violations         rows written since then that break a rule of the shop, whether or not a constraint holds it
//   health_score       100, less 5 for each violation (at most 50), less 50 × the share of failed payments
import { parseArgs } from 'node:util';
import { withClient } from './database.mjs';
import { readDatabaseSettings } from './settings.mjs';

const PAYMENTS = `
  with recent as (
    select outcome, at, row_number() over (order by at desc) as newest
    from payments
    where at > least($1::timestamptz, clock_timestamp() - interval '1 day')
      and (outcome is not null or at < clock_timestamp() - interval '10 seconds')
  )
  select count(*) filter (where outcome = 'paid') as paid, count(*) filter (where outcome is null) as failed
  from recent
  where at > $1::timestamptz or (newest <= 20 and at > clock_timestamp() - interval '1 day')`;

const ROWS = `
  select
    count(*) as created,
    count(*) filter (where o.total_cents < 0) as negative_total,
    count(*) filter (where o.status not in ('pending', 'paid', 'shipped', 'cancelled')) as unknown_status,
    (select count(*) from order_items i join orders p on p.id = i.order_id
      where i.qty <= 0 and p.created_at > $1::timestamptz) as zero_qty
  from orders o
  where o.created_at > $1::timestamptz`;

async function measure(client, since) {
  const payments = (await client.query(PAYMENTS, [since])).rows[0];
  const rows = (await client.query(ROWS, [since])).rows[0];
  const attempts = payments.paid + payments.failed;
  const rate = attempts === 0 ? null : payments.paid / attempts;
  const violations = rows.negative_total + rows.unknown_status + rows.zero_qty;
  return {
    health_score: Math.round(100 - Math.min(50, 5 * violations) - 50 * (1 - (rate ?? 1))),
    orders_created: rows.created,
    pay_success_rate: rate,
    violations,
    samples: { orders_created: rows.created, pay_success_rate: attempts },
  };
}

async function main() {
  const { values } = parseArgs({ options: { json: { type: 'boolean' }, since: { type: 'string' } } });
  if (!values.json) throw new Error('say --json: there is no other form');
  if (values.since !== undefined && Number.isNaN(Date.parse(values.since))) throw new Error(`--since is not a time: ${values.since}`);
  const facts = await withClient(readDatabaseSettings(), (client) => measure(client, values.since ?? '-infinity'));
  console.log(JSON.stringify(facts));
}

main().catch((error) => {
  console.error(`monitor: ${error.message}`);
  process.exit(1);
});
