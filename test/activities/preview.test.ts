// The rehearsal on a real server: locks and who would wait, rows that violate, what a CASCADE takes along,
// ways down that do not lead back.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { migratesInMaintenance } from '../../activities/preview/table-rewrites.ts';
import {
  BACKUP,
  type Bench,
  DATA,
  type Hands,
  type HandsSpec,
  MIGRATE,
  permit,
  PREVIEW,
  raiseBench,
} from '../support/hands.ts';
import { judge, unequal } from '../support/judge.ts';

let bench: Bench;
beforeAll(async () => void (bench = await raiseBench()));
afterAll(() => bench?.stop());

const snapshot = (hands: Hands) => judge(hands.url);
/** Previews with the fixes still to come, and shows that the target is untouched. */
async function preview(
  spec: Partial<HandsSpec> = {},
  before: (hands: Hands) => Promise<unknown> = async () => undefined,
) {
  const hands = await permit(bench, { steps: BACKUP + PREVIEW + DATA + MIGRATE, ...spec });
  await before(hands);
  const was = await snapshot(hands);
  const receipt = await hands.run('preview');
  expect(unequal(was, await snapshot(hands)), 'nothing in the target changes').toEqual([]);
  return { hands, receipt, text: receipt.details?.join('\n') ?? '' };
}

test('up, down, compared, up: with times, the locks it holds, and the views behind them', async () => {
  const { receipt, text, hands } = await preview();
  expect(receipt).toMatchObject({ verdict: 'pass', figures: { rehearsed: 'up-down-up', wouldWait: 0 } });
  expect(text).toMatch(
    /locks public\.orders in AccessExclusiveLock \(readers wait, too\) for at most \d+ ms \(000\d_\w+\); read by order_report/u,
  );
  expect(text, 'nobody asks for it').not.toContain('would wait behind');
  expect(text).toMatch(/0002_order_guards: \d+ ms/u);
  const read = (name: string) =>
    hands.world.artifacts.read(`evidence/${hands.rollout.deployment}/baseline/here/preview/${name}`);
  expect(await read('0003_order_totals.sql')).toContain('add column discount_cents');
  expect(await read('0003_order_totals.down.sql')).toContain('drop index orders_unpaid_idx');
});

test(
  'who holds the lock now is named, with relation, mode, how long, and the view that would wait behind ' +
    'it',
  async () => {
    const holder = new pg.Client();
    let client = holder;
    try {
      const { receipt, text } = await preview({}, async ({ url }) => {
        client = new pg.Client({ connectionString: url, application_name: 'nightly-report' });
        await client.connect();
        await client.query('begin; select count(*) from order_report');
      });
      expect(receipt).toMatchObject({ verdict: 'pass', figures: { wouldWait: expect.any(Number) } });
      expect(receipt.summary).toMatch(/[1-9]\d* locks? would wait now/u);
      expect(text).toMatch(
        /would wait for public\.orders in AccessExclusiveLock: nightly-report \(pid \d+, idle in transaction\) holds AccessShareLock for \d+ s; read by order_report/u,
      );
    } finally {
      await client.end();
    }
  },
);

test(
  'statements of the live traffic that would wait are named, without their values: for which lock, ' +
    'whose, how often and how long',
  async () => {
    const traffic = new AbortController();
    const asking: Promise<void>[] = [];
    const ask = async (url: string, name: string, statement: string) => {
      const client = new pg.Client({ connectionString: url, application_name: name });
      await client.connect();
      while (!traffic.signal.aborted) await client.query(statement);
      await client.end();
    };
    try {
      const { receipt, text } = await preview({}, async ({ url }) => {
        asking.push(
          ask(url, 'shop-web', 'select count(*) from orders, pg_sleep(0.03) where total_cents > 4711'),
        );
        asking.push(ask(url, 'stock', "select count(*) from customers, pg_sleep(0.03) where name = 'Ann'"));
      });
      expect(receipt).toMatchObject({ verdict: 'pass', figures: { wouldBlock: 1 } });
      expect(receipt.summary).toContain('1 running query would block on this migration');
      expect(text).toMatch(
        /would wait behind AccessExclusiveLock on public\.orders: shop-web, AccessShareLock, in \d+ of \d+ looks: select count\(\*\) from orders, pg_sleep\(\?\.\?\) where total_cents > \?/u,
      );
      expect(text).toMatch(
        /would block public\.orders for at most \d+ ms \(and 50 ms with each try that does not get it\): [1-9][\d.]* scans and 0 rows written a second now/u,
      );
      expect(text).not.toContain('stock');
    } finally {
      traffic.abort();
      await Promise.allSettled(asking);
    }
  },
);

test('rows that violate are found before anything is written', async () => {
  const { receipt, text } = await preview({ steps: BACKUP + PREVIEW + MIGRATE });
  expect(receipt).toMatchObject({
    verdict: 'fail',
    summary: expect.stringContaining('the migration fails on a copy of this database'),
  });
  expect(text).toContain('SQLSTATE 23514');
});

test('a view that a CASCADE would take along is named', async () => {
  const edit = async (checkout: string) => {
    const [up, down] = ['0003_order_totals.sql', '0003_order_totals.down.sql'].map((name) =>
      join(checkout, 'migrations', name),
    );
    await writeFile(
      up!,
      `${await readFile(up!, 'utf8')}\nalter table payments drop column outcome cascade;\n`,
    );
    await writeFile(
      down!,
      `${await readFile(down!, 'utf8')}\nalter table payments add column outcome text;\n`,
    );
  };
  const { receipt, text } = await preview(
    { edit, steps: (BACKUP + PREVIEW + DATA + MIGRATE).replace('lint: error', 'lint: skip') },
    (hands) => hands.sql('create view failed_payments as select * from payments where outcome is null'),
  );
  expect(receipt.verdict).toBe('fail');
  expect(text).toContain('view public.failed_payments depends on what is changed and would vanish');
});

test.each([
  [
    '0003_order_totals.down.leaves-an-index',
    'the down migration does not restore: index public.orders_unpaid_idx was left behind',
  ],
  [
    '0003_order_totals.down.leaves-a-default',
    'the down migration does not restore: column public.orders.total_cents differs',
  ],
  [
    '0003_order_totals.down.leaves-a-grant',
    'the down migration does not restore: grants on table public.orders was left behind',
  ],
  [
    '0003_order_totals.down.leaves-three-rows',
    'the down migration does not restore: public.customers differs: was 20 rows',
  ],
])('%s is found before anything is written', async (fault, line) => {
  const { receipt, text } = await preview({ fault });
  expect(receipt).toMatchObject({ verdict: 'fail', figures: { rehearsed: 'no' } });
  expect(text).toContain(line);
});

test('an index that was left behind also keeps the next way up from working', async () => {
  const { text } = await preview({ fault: '0003_order_totals.down.leaves-an-index' });
  expect(text).toContain('after the down migration, the up migration fails');
  expect(text).toContain('42P07');
});

const replace0003 = (up: string, down: string) => async (checkout: string) => {
  await writeFile(join(checkout, 'migrations/0003_order_totals.sql'), up);
  await writeFile(join(checkout, 'migrations/0003_order_totals.down.sql'), down);
};

test('a table that is written anew is refused outside maintenance, and only named within', async () => {
  const edit = replace0003(
    'drop view order_report; alter table orders alter column total_cents type numeric',
    'select 1',
  );
  const { receipt } = await preview({ edit });
  expect(receipt).toMatchObject({ verdict: 'fail', figures: { rewritten: 1 } });
  expect(receipt.details).toContainEqual(
    expect.stringMatching(
      /^public\.orders is written anew \(\d+ KiB\): nobody reads or writes it meanwhile; not outside maintenance$/u,
    ),
  );
  const kinds = (...names: string[]) =>
    migratesInMaintenance({ list: { steps: names.map((kind) => ({ kind })) } } as never);
  expect(kinds('enterMaintenance', 'preview', 'migrate', 'leaveMaintenance')).toBe(true);
  expect(kinds('enterMaintenance', 'leaveMaintenance', 'preview', 'migrate')).toBe(false);
  expect(kinds('preview', 'migrate')).toBe(false);
});

test('field facts 10: rows that the migration moves are proposed, and refused until the plan declares them', async () => {
  const edit = replace0003(
    `create table gone as select * from customers where id > 18; delete from customers
      where id > 18; update order_items set sku = upper(sku)`,
    'insert into customers select * from gone; drop table gone; update order_items set sku = lower(sku)',
  );
  const { receipt, text } = await preview({ edit, steps: BACKUP + PREVIEW + DATA + MIGRATE }, (hands) =>
    hands.sql('update orders set customer_id = 1'),
  );
  expect(receipt).toMatchObject({ verdict: 'fail', figures: { moves: 2 } });
  expect(text).toContain(
    'the migration changes rows of public.customers: 20 → 18 rows; if this is intended, declare it: ' +
      'preview: { moves: [public.customers] }',
  );
  expect(text).toContain('the migration changes rows of public.order_items: rows changed');
  const declared = PREVIEW.replace(
    'rehearse: up-down-up',
    'rehearse: up-down-up, moves: [customers, public.order_items]',
  );
  const again = await preview({ edit, steps: BACKUP + declared + DATA + MIGRATE }, (hands) =>
    hands.sql('update orders set customer_id = 1'),
  );
  expect(again.receipt).toMatchObject({ verdict: 'pass', figures: { moves: 2 } });
  expect(again.text).toContain('moves rows of public.customers: 20 → 18 rows');
});
