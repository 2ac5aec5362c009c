// migrate and its way down on a real server: transactions per file, locks, ledgers that lie, ways down that
// leave something.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Comparison } from '../../src/core/activities.ts';
import {
  BACKUP,
  type Bench,
  DATA,
  failureOf,
  type Hands,
  type HandsSpec,
  MIGRATE,
  permit,
  PREVIEW,
  raiseBench,
} from '../support/hands.ts';

let bench: Bench;
beforeAll(async () => void (bench = await raiseBench()));
afterAll(() => bench?.stop());

const steps = BACKUP + DATA + PREVIEW + MIGRATE;
/** Permitted, backed up and fixed: the next step is migrate. */
async function ready(spec: Partial<HandsSpec> = {}): Promise<Hands> {
  const hands = await permit(bench, { steps, ...spec });
  await hands.run('backup');
  await hands.run('data: fix');
  return hands;
}
const ledger = async (hands: Hands) =>
  (
    await hands.sql<{ what: string }>(
      "select what from audit.change_ledger where what not like '%0001%' order by id",
    )
  ).map((row) => row.what);
const applied = async (hands: Hands) =>
  (await hands.sql<{ version: string }>('select version from schema_migrations order by 1')).map(
    (row) => row.version,
  );
const compare = (hands: Hands) =>
  hands.call<Comparison>('compareRollback', { rollout: hands.rollout, ran: [] });
const file = (hands: Hands, name: string) => join(hands.checkout, 'migrations', name);

async function withBlocker<T>(
  hands: Hands,
  sql: string,
  act: (end: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const blocker = new pg.Client({ connectionString: hands.url, application_name: 'nightly-report' });
  await blocker.connect();
  await blocker.query(`begin; ${sql}`);
  let ended: Promise<void> | undefined;
  const end = () => (ended ??= blocker.end());
  try {
    return await act(end);
  } finally {
    await end();
  }
}

/** Until two tries have waited for it; one session asks, so that no short try is over before it has connected. */
async function untilWaiting(hands: Hands): Promise<void> {
  const client = new pg.Client({ connectionString: hands.url });
  await client.connect();
  const seen = new Set<number>();
  while (seen.size < 2) {
    const { rows } = await client.query<{ pid: number }>(
      "select pid from pg_stat_activity where wait_event_type = 'Lock' and application_name like 'sg:%'",
    );
    for (const { pid } of rows) seen.add(pid);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await client.end();
}

const NOT_REHEARSED = expect.stringContaining(
  'not compared with a rehearsal, which the plan skips',
) as string;

describe('migrate', () => {
  test('applies exactly what is pending, once, however often it is tried', async () => {
    const hands = await ready();
    expect(await hands.run('migrate')).toMatchObject({ verdict: 'pass', figures: { applied: 2 } });
    const again = await hands.run('migrate', { attempt: 2 });
    expect(await ledger(hands)).toEqual(['up 0002_order_guards', 'up 0003_order_totals']);
    // Nothing was left to do, and the catalog has not changed in this attempt: the ledger is believed only
    // where it was seen to be true.
    expect(again).toMatchObject({
      verdict: 'pass',
      details: ['0002_order_guards: already applied', '0003_order_totals: already applied', NOT_REHEARSED],
    });
  });

  test(
    'a file that fails half-way leaves nothing of itself, keeps the earlier one, and is named with its ' +
      'SQLSTATE',
    async () => {
      const hands = await ready({ fault: '0003_order_totals.fails-half-way' });
      const failure = await failureOf(hands.run('migrate'));
      expect(failure).toMatchObject({
        code: 'MIGRATION_FAILED',
        message: expect.stringContaining('0003_order_totals failed with SQLSTATE 42703'),
      });
      expect(failure.details).toContain('totl_cents');
      expect(await applied(hands)).toEqual(['0001_schema', '0002_order_guards']);
      expect(
        await hands.sql(
          "select from pg_attribute where attrelid = 'orders'::regclass and attname = 'discount_cents'",
        ),
      ).toEqual([]);
      expect(await hands.undo('migrate')).toMatchObject({ done: true });
      expect(await compare(hands)).toMatchObject({ equal: true, differences: [] });
    },
  );

  test('rows that violate the new constraint stop it with 23514', async () => {
    const hands = await permit(bench, { steps });
    await hands.run('backup');
    expect(await failureOf(hands.run('migrate'))).toMatchObject({
      code: 'MIGRATION_FAILED',
      message: expect.stringContaining('SQLSTATE 23514'),
    });
  });

  test('a lock that is not given is tried for as long as allowed, and who holds it is named', async () => {
    const hands = await ready();
    await withBlocker(hands, 'select count(*) from orders', async () => {
      const started = Date.now();
      const failure = await failureOf(hands.run('migrate'));
      expect(failure).toMatchObject({
        code: 'LOCK_NOT_GIVEN',
        details: expect.stringContaining('nightly-report (pid '),
      });
      expect(failure.message).toMatch(/in [2-9]\d* tries of 50 ms/u);
      expect(Date.now() - started).toBeGreaterThan(1_900);
    });
    expect(await ledger(hands)).toEqual([]);
  });

  test('a lock that is given in the end: applied, with who was waited for', async () => {
    const hands = await ready({ steps: steps.replace('give-up-after: 2s', 'give-up-after: 2m') });
    const receipt = await withBlocker(hands, 'select count(*) from orders', async (end) => {
      const [migrated] = await Promise.all([hands.run('migrate'), untilWaiting(hands).then(end)]);
      return migrated;
    });
    expect(receipt).toMatchObject({
      verdict: 'pass',
      details: [
        expect.stringMatching(/at try \d+; waited for nightly-report/u),
        expect.any(String),
        NOT_REHEARSED,
      ],
    });
  });
});

describe('what is pending', () => {
  const look = async (pending: string, before?: string) => {
    const hands = await permit(bench, { steps: BACKUP + MIGRATE, pending });
    if (before) await hands.sql(before);
    return failureOf(hands.run('pending'));
  };
  test('exactly as declared', async () =>
    expect(await look('0002_order_guards, 0003_order_totals')).toMatchObject({ code: 'none' }));
  test('unexpected', async () =>
    expect(await look('0002_order_guards')).toMatchObject({
      code: 'MIGRATION_MISMATCH',
      details: expect.stringContaining('0003_order_totals is pending but not declared'),
    }));
  test.each([
    ['0002_order_guards.sql', '-- migrate:up\nselect 1;\n-- migrate:down\nselect 2', 'a section of dbmate'],
    ['0003_order_totals.down.sql', 'select 1; commit', 'line 1: COMMIT'],
    ['000004_users.up.sql', 'select 1', 'golang-migrate'],
  ])('%s: what another tool has written is named, before anything is run', async (file, text, says) => {
    const hands = await permit(bench, {
      steps: BACKUP + MIGRATE,
      edit: (checkout) => writeFile(join(checkout, 'migrations', file), text),
    });
    const { message, details } = await failureOf(hands.run('pending'));
    expect(`${message} ${details}`).toContain(says);
    expect(await hands.sql('select version from schema_migrations')).toHaveLength(1);
  });
  test('declared, but applied', async () =>
    expect(
      await look(
        '0002_order_guards, 0003_order_totals',
        "insert into schema_migrations (version) values ('0002_order_guards')",
      ),
    ).toMatchObject({
      code: 'MIGRATION_MISMATCH',
      details: expect.stringContaining('0002_order_guards is declared but already applied'),
    }));
  test('declared, but not in the release', async () =>
    expect(await look('0002_order_guards, 0003_order_totals, 0004_more')).toMatchObject({
      details: expect.stringContaining('0004_more is declared but not in the release'),
    }));
  test('no ledger', async () =>
    expect(await look('0002_order_guards, 0003_order_totals', 'drop table schema_migrations')).toMatchObject({
      details: expect.stringContaining('create it with'),
    }));
});

describe('a ledger that lies', () => {
  test('without a rehearsal nobody can tell whether a file that changes no object did what it should: said so', async () => {
    const hands = await ready({
      edit: async (checkout) => {
        for (const name of ['0002_order_guards', '0003_order_totals'])
          await writeFile(join(checkout, 'migrations', `${name}.sql`), 'select 1;\n');
      },
    });
    expect((await hands.run('migrate')).details).toContain(
      'not compared with a rehearsal, which the plan skips; no object of the schema has changed',
    );
  });

  test('stamped by hand after the rehearsal: what was rehearsed is missing', async () => {
    const hands = await ready();
    expect(await hands.run('preview')).toMatchObject({ verdict: 'pass' });
    await hands.sql("insert into schema_migrations (version) values ('0003_order_totals')");
    const receipt = await hands.run('migrate');
    expect(receipt.verdict).toBe('fail');
    expect(receipt.details?.join('\n')).toContain(
      'not as rehearsed: column public.orders.discount_cents is missing',
    );
  });
});

describe('the way down', () => {
  const differences: Record<string, string[]> = {
    '': [],
    '0003_order_totals.down.leaves-an-index': [
      expect.stringMatching(/^index public\.orders_unpaid_idx was left behind/u) as unknown as string,
    ],
    '0003_order_totals.down.leaves-a-default': [
      expect.stringMatching(
        /^column public\.orders\.total_cents differs: was bigint NOT NULL, is bigint DEFAULT 0 NOT NULL$/u,
      ) as unknown as string,
    ],
    '0003_order_totals.down.leaves-a-grant': [
      expect.stringMatching(
        /^grants on table public\.orders was left behind: GRANT SELECT ON TABLE public\.orders TO PUBLIC;$/u,
      ) as unknown as string,
    ],
    '0003_order_totals.down.leaves-three-rows': ['21', '22', '23'].map(
      (id) => `public.customers ${id}: added by this rollout, and not put back`,
    ),
  };
  test.each(Object.entries(differences))('%s leaves exactly what is named', async (fault, expected) => {
    const hands = await ready(fault ? { fault } : {});
    await hands.run('migrate');
    expect(await hands.undo('migrate')).toMatchObject({ done: true });
    expect(await hands.undo('migrate', { attempt: 2 }), 'idempotent').toMatchObject({
      done: true,
      summary: 'none of the migrations is applied',
    });
    const comparison = await compare(hands);
    expect(comparison.differences).toEqual(expected);
    expect(comparison.equal).toBe(expected.length === 0);
    // What the fix changed stays, row by row.
    expect(comparison.writtenSince.filter((line) => line.endsWith('stays as the fix left it'))).toHaveLength(
      7,
    );
  });

  test('rows that the app wrote since are listed as such, and do not make it stuck', async () => {
    const hands = await ready();
    await hands.run('migrate');
    await hands.sql("insert into customers (name, email) values ('new', 'new@example.org')");
    await hands.undo('migrate');
    const comparison = await compare(hands);
    expect(comparison.differences).toEqual([]);
    expect(comparison.writtenSince).toContain(
      'public.customers 21: added by the application since the backup',
    );
  });

  test('a way down that fails is not swallowed', async () => {
    const hands = await ready();
    await hands.run('migrate');
    await writeFile(file(hands, '0003_order_totals.down.sql'), 'drop index no_such_index;\n');
    expect(await failureOf(hands.undo('migrate'))).toMatchObject({
      code: 'MIGRATION_FAILED',
      message: expect.stringContaining('42704'),
    });
  });
});
