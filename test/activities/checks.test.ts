// Checks on a real server: constraints by name and by forbidden write, columns, queries, commands with JSON
// or a test report.
import type { Comparison } from '../../src/core/activities.ts';
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readJunit } from '../../src/core/junit.ts';
import {
  BACKUP,
  type Bench,
  DATA,
  failureOf,
  type HandsSpec,
  MIGRATE,
  permit,
  raiseBench,
} from '../support/hands.ts';

let bench: Bench;
beforeAll(async () => void (bench = await raiseBench()));
afterAll(() => bench?.stop());

const migrated = new Map<string, string>();
/** A database as it is after the migrations; asked only, so all share it. */
async function database(fault = ''): Promise<string> {
  const known = migrated.get(fault);
  if (known) return known;
  const hands = await permit(bench, { steps: BACKUP + DATA + MIGRATE, ...(fault && { fault }) });
  for (const name of ['backup', 'data: fix', 'migrate']) await hands.run(name);
  await hands.call('closeRollout', { rollout: hands.rollout, outcome: 'passed' });
  migrated.set(fault, hands.url);
  return hands.url;
}

/** One step on a migrated database; on a copy of it, backed up, where something else is done there first. */
async function ask(step: string, spec: Partial<HandsSpec> = {}, sql?: string) {
  const shared = await database(spec.fault);
  const own = `own_${randomUUID().slice(0, 8)}`;
  if (sql !== undefined) await bench.postgres.createDatabase(own, new URL(shared).pathname.slice(1));
  const url = sql === undefined ? shared : bench.postgres.url(own);
  const hands = await permit(bench, {
    steps: `${BACKUP}${DATA}${MIGRATE}  - { step: ask, ${step} }\n`,
    url,
    ...spec,
  });
  if (sql !== undefined) {
    if (sql) await hands.sql(sql);
    await hands.run('backup');
  }
  return { hands, receipt: await hands.run('ask') };
}

describe('forbidden writes', () => {
  const write = (table: string, set: string, by: string) =>
    `forbidden: [{ table: ${table}, set: { ${set} }, by: ${by} }]`;
  const qty = write('order_items', 'qty: 0', 'order_items_qty_positive');

  test('refused by their constraint, and rolled back', async () => {
    const { hands, receipt } = await ask(
      'forbidden: [{ table: order_items, set: { qty: 0 }, by: order_items_qty_positive }, { table: ' +
        'orders, set: { status: unknown }, by: orders_status_known }]',
    );
    expect(receipt).toMatchObject({ verdict: 'pass', figures: { refused: 2, writes: 2 } });
    expect(
      await hands.sql(
        "select from order_items where qty = 0 union all select from orders where status = 'unknown'",
      ),
    ).toEqual([]);
  });

  test('a write that is accepted is found and rolled back: the constraint is missing, or guards nothing', async () => {
    for (const fault of ['0002_order_guards.misses-a-constraint', '0002_order_guards.guards-nothing']) {
      const { hands, receipt } = await ask(qty, { fault });
      expect(receipt).toMatchObject({
        verdict: 'fail',
        details: ['order_items {"qty":0}: was accepted; order_items_qty_positive should have refused it'],
      });
      expect(await hands.sql('select from order_items where qty = 0')).toEqual([]);
    }
  });

  test('refused by another constraint than expected: named', async () => {
    const { receipt } = await ask(write('orders', 'total_cents: -1', 'orders_status_known'));
    expect(receipt).toMatchObject({
      verdict: 'fail',
      details: [
        'orders {"total_cents":-1}: refused by orders_total_non_negative (23514), expected ' +
          'orders_status_known',
      ],
    });
  });

  test('T-49: NULL passes a check, so a write of it shows no constraint', async () => {
    const { hands, receipt } = await ask(
      write('orders', 'total_cents: null', 'orders_total_non_negative'),
      {},
      'alter table orders alter total_cents drop not null',
    );
    expect(receipt).toMatchObject({
      verdict: 'fail',
      details: [
        'orders {"total_cents":null}: was accepted; orders_total_non_negative should have refused it',
      ],
    });
    expect(await hands.sql('select from orders where total_cents is null')).toEqual([]);
  });

  test('without a row nothing is known; a column that is not there is an error', async () => {
    expect((await ask(qty, {}, 'delete from order_items')).receipt).toMatchObject({
      verdict: 'inconclusive',
    });
    expect((await ask(write('orders', 'no_such: 1', 'orders_status_known'))).receipt).toMatchObject({
      verdict: 'error',
      details: [expect.stringContaining('42703')],
    });
  });
});

describe('schema and queries', () => {
  const names =
    'constraints: [orders_total_non_negative, order_items_qty_positive, { like: "orders_*_known", ' +
    'exactly: 1 }]';
  test('constraints by name and pattern', async () => {
    expect((await ask(`check: { ${names} }`)).receipt).toMatchObject({ verdict: 'pass' });
    expect(
      (await ask(`check: { ${names} }`, { fault: '0002_order_guards.misses-a-constraint' })).receipt,
    ).toMatchObject({
      verdict: 'fail',
      details: ['order_items_qty_positive is missing'],
    });
    const unvalidated = `alter table orders drop constraint orders_status_known; alter table orders add constraint
        orders_status_known check (true) not valid`;
    expect((await ask(`check: { ${names} }`, {}, unvalidated)).receipt).toMatchObject({
      verdict: 'fail',
      details: ['orders_*_known: 0 valid, expected exactly 1'],
    });
  });

  test('columns', async () => {
    const columns = (rest: string) =>
      `check: { columns: [{ table: orders, column: discount_cents, ${rest} }] }`;
    expect((await ask(columns('type: bigint, nullable: false, default: "0"'))).receipt).toMatchObject({
      verdict: 'pass',
    });
    expect((await ask(columns('type: integer, nullable: true'))).receipt).toMatchObject({
      verdict: 'fail',
      details: ['orders.discount_cents: type bigint, expected integer, refuses null'],
    });
  });

  test('queries read only: no rows, a value in its threshold, no value, and a write that is tried', async () => {
    const query = (sql: string, returns: string) => `check: { sql: "${sql}", returns: ${returns} }`;
    expect((await ask(query('select 1 from orders where total_cents < 0', 'no rows'))).receipt).toMatchObject(
      { verdict: 'pass' },
    );
    expect((await ask(query('select count(*) from orders', '{ value: exactly 50 }'))).receipt).toMatchObject({
      verdict: 'pass',
      figures: { value: 50 },
    });
    expect((await ask(query('select count(*) from orders', '{ value: exactly 51 }'))).receipt).toMatchObject({
      verdict: 'fail',
    });
    expect((await ask(query('select max(id) from payments', '{ value: at least 0 }'))).receipt).toMatchObject(
      { verdict: 'inconclusive' },
    );
    const wrong: readonly (readonly [string, string])[] = [
      ["select setval('orders_id_seq', 1)", 'it calls setval'],
      ["select query_to_xml('delete from payments returning 1', true, true, '')", 'it calls query_to_xml'],
      ['delete from payments returning 1', 'it is no SELECT'],
      ['commit; delete from payments; select 1 where false', 'it is 3 statements'],
      ['with gone as (delete from payments returning 1) select 1 from gone', 'it deletes'],
      ['-- nothing', 'it is empty'],
    ];
    for (const [sql, why] of wrong)
      expect((await ask(query(sql, 'no rows'))).receipt).toMatchObject({
        verdict: 'error',
        summary: expect.stringContaining(why),
      });
    const two = await ask(query('select 1 union all select 2', '{ value: exactly 1 }'));
    expect(two.receipt).toMatchObject({ verdict: 'inconclusive' });
  });
});

describe('queries with more to say', () => {
  const query = (sql: string, more: string) => ask(`check: { sql: "${sql}", returns: ${more} }`);

  test('so many rows, within so long', async () => {
    expect((await query('select 1 from orders', '{ rows: at least 50 }')).receipt).toMatchObject({
      verdict: 'pass',
      summary: '50 rows, wanted at least 50',
    });
    expect((await query('select 1 from orders', '{ rows: at most 49 }')).receipt).toMatchObject({
      verdict: 'fail',
    });
    expect((await query('select 1 where false', '{ rows: at least 1 }')).receipt).toMatchObject({
      verdict: 'fail',
      summary: '0 rows, wanted at least 1',
    });
    const slow = await ask(
      'check: { sql: "select pg_sleep(5)", returns: { rows: exactly 1 }, within: 200ms }',
    );
    expect(slow.receipt).toMatchObject({
      verdict: 'fail',
      summary: 'the query did not answer within 200 ms',
    });
  });

  test(
    'golden facts: the very rows that were reviewed; another value is named, and no golden rows are no ' +
      'proof',
    async () => {
      const step =
        'check: { sql: "select id, status from orders order by id limit 2", returns: { golden: ' +
        'golden/orders.json } }';
      const golden = (rows: unknown) => async (checkout: string) => {
        await mkdir(join(checkout, 'golden'), { recursive: true });
        await writeFile(join(checkout, 'golden/orders.json'), JSON.stringify(rows));
      };
      const right = [
        { id: '1', status: 'paid' },
        { id: '2', status: 'paid' },
      ];
      expect((await ask(step, { edit: golden(right) })).receipt).toMatchObject({
        verdict: 'pass',
        summary: '2 of 2 golden rows as reviewed',
      });
      expect(
        (await ask(step, { edit: golden([right[0], { id: '2', status: 'shipped' }]) })).receipt,
      ).toMatchObject({
        verdict: 'fail',
        details: ['row 2 is {"id":"2","status":"paid"}, reviewed was {"id":"2","status":"shipped"}'],
      });
      expect((await ask(step, { edit: golden([]) })).receipt).toMatchObject({ verdict: 'inconclusive' });
    },
  );
});

describe('reports for people', () => {
  const report = (
    printed: string,
    groups: string,
    pattern = 'score: (?<score>[0-9.,]+).*?(?<state>good|bad)',
  ) =>
    ask(
      `check: { command: [printf, "%s", "${printed}"], text: { pattern: '${pattern}', groups: { ` +
        `${groups} } } }`,
    );

  test('S0-22, T-66: read by named groups, whatever marks stand around', async () => {
    expect(
      (await report('✅ score: 1,095 is good', 'score: at least 90, state: { is: good }')).receipt,
    ).toMatchObject({
      verdict: 'pass',
      summary: 'score 1,095, state good',
      figures: { score: 1095 },
    });
    expect(
      (await report('âœ… score: 89 is bad', 'score: at least 90, state: { is: good }')).receipt,
    ).toMatchObject({
      verdict: 'fail',
      details: ['score is 89, wanted at least 90', 'state is bad, wanted good'],
    });
  });

  test(
    'T-42: an exit code of 0 beside a text that fits nothing is no pass; nor is a group that is no ' +
      'number',
    async () => {
      expect((await report('all is well', 'score: at least 90')).receipt).toMatchObject({
        verdict: 'inconclusive',
      });
      expect((await report('score: . is good', 'score: at least 90')).receipt).toMatchObject({
        verdict: 'inconclusive',
      });
    },
  );
});

describe('commands', () => {
  const command = (script: string, rest = '') => `check: { command: [sh, -c, '${script}']${rest} }`;
  test('a session of theirs is read-only unless the plan says otherwise', async () => {
    const write = `psql -Xqc "update customers set name = 1"`;
    expect((await ask(command(write))).receipt).toMatchObject({
      verdict: 'fail',
      details: [expect.stringContaining('read-only transaction')],
    });
    expect((await ask(command(write, ', changes: [database]'), {}, '')).receipt).toMatchObject({
      verdict: 'pass',
    });
  });

  test('values of the JSON they print', async () => {
    const json = (script: string) => ask(command(script, ', json: { /ok: true, /n: 2 }'));
    expect((await json(`echo "{\\"ok\\":true,\\"n\\":2}"`)).receipt).toMatchObject({ verdict: 'pass' });
    expect((await json(`echo "{\\"ok\\":true}"`)).receipt).toMatchObject({
      verdict: 'fail',
      details: ['/n is null, expected 2'],
    });
    expect((await json('echo fine')).receipt).toMatchObject({ verdict: 'error' });
  });

  const ON_THIS_SERVER = 'psql -Xqc "select pg_sleep(0.3)"';
  test('T-42: exit codes lie: psql says 0 after an error, and what it printed is judged', async () => {
    const script = String.raw`printf "select 1 / 0;\\\\echo {\"ok\":false}\n" | psql -Xqt`;
    expect((await ask(command(script, ', json: { /ok: true }'))).receipt).toMatchObject({
      verdict: 'fail',
      details: ['/ok is false, expected true'],
    });
  });

  const SUITE = (cases: string, says = '') =>
    `<?xml version="1.0"?><testsuites><testsuite name="s"${says}>${cases}</testsuite></testsuites>`;
  const GOOD =
    '<testcase name="a"/><testcase name="b"><system-out><![CDATA[<failure>]]></system-out></testcase>';
  test.each([
    ['exact counts', SUITE(GOOD), 'pass', '2 tests passed, 0 failed, 0 skipped'],
    ['one too few', SUITE('<testcase name="a"/>'), 'fail', '1 tests passed, 0 failed, 0 skipped'],
    ['one too many', SUITE(`${GOOD}<testcase name="c"/>`), 'fail', '3 tests passed, 0 failed, 0 skipped'],
    [
      'one failed, exit 0',
      SUITE(`${GOOD}<testcase classname="x" name="c"><failure message="no"/></testcase>`),
      'fail',
      '2 tests passed, 1 failed, 0 skipped',
    ],
    [
      'one skipped too many',
      SUITE(`${GOOD}<testcase name="c"><skipped/></testcase>`),
      'fail',
      '2 tests passed, 0 failed, 1 skipped',
    ],
    ['cut off', SUITE(GOOD).slice(0, -20), 'error', 'cut off'],
    ['says more than it holds', SUITE(GOOD, ' tests="3"'), 'error', 'says tests="3", but contains 2'],
    ['no report at all', '', 'error', 'it contains no test suite'],
  ])('a test report: %s', async (_name, xml, verdict, summary) => {
    const { receipt } = await ask(
      command(
        `${ON_THIS_SERVER}; cat report.source > report.xml`,
        ', junit: { file: report.xml, passed: 2 }',
      ),
      {
        edit: (checkout) => writeFile(join(checkout, 'report.source'), xml),
      },
    );
    expect(receipt).toMatchObject({ verdict, summary: expect.stringContaining(summary) });
  });

  test(
    'T-47, T-61: the databases that the suite was seen on are named; one that was seen on none has ' +
      'shown nothing',
    async () => {
      const edit = (checkout: string) => writeFile(join(checkout, 'report.source'), SUITE(GOOD));
      const run = (script: string) =>
        ask(
          command(`${script}; cat report.source > report.xml`, ', junit: { file: report.xml, passed: 2 }'),
          {
            edit,
          },
        );
      const { receipt, hands } = await run(ON_THIS_SERVER);
      expect(receipt.summary).toBe(
        `2 tests passed, 0 failed, 0 skipped, on ${new URL(hands.url).pathname.slice(1)} of this server`,
      );
      expect((await run('true')).receipt).toMatchObject({
        verdict: 'inconclusive',
        summary: expect.stringContaining('no session of it was seen'),
      });
    },
  );

  test('the report of an earlier run does not count, and a failing exit code does', async () => {
    const edit = (checkout: string) => writeFile(join(checkout, 'report.xml'), SUITE(GOOD));
    expect(
      (await ask(command('true', ', junit: { file: report.xml, passed: 2 }'), { edit })).receipt,
    ).toMatchObject({
      verdict: 'error',
      summary: 'it wrote no report report.xml',
    });
    const source = (checkout: string) => writeFile(join(checkout, 'report.source'), SUITE(GOOD));
    const failing = command(
      'cat report.source > report.xml; exit 1',
      ', junit: { file: report.xml, passed: 2 }',
    );
    expect((await ask(failing, { edit: source })).receipt).toMatchObject({
      verdict: 'fail',
      summary: 'ended with 1',
    });
  });

  test('run with its undo', async () => {
    const undo = 'undo: { command: [psql, -Xqc, "update customers set name = 0"] }';
    const { hands, receipt } = await ask(
      `run: { command: [psql, -Xqc, "update customers set name = 1"], changes: [database], ${undo} }`,
      {},
      '',
    );
    expect(receipt).toMatchObject({ verdict: 'pass' });
    expect(await hands.undo('ask')).toMatchObject({ done: true });
    expect(await hands.sql('select distinct name from customers')).toEqual([{ name: '0' }]);
    // What the undo has left is its own doing, and never told as the application's.
    const left = await hands.call<Comparison>('compareRollback', { rollout: hands.rollout, ran: [] });
    expect(left).toMatchObject({ equal: false, writtenSince: [] });
    expect(left.differences).toHaveLength(20);
    expect((await failureOf(hands.run('ask'))).code).toBe('none');
  });
});

test.each([
  ['<testsuites/><testsuites/>', 'its root is'],
  ['<html></html>', 'its root is html'],
  ['<testsuite><testcase></testsuite>', 'closes nothing'],
  ['<testsuite> a < b </testsuite>', 'no XML'],
  ['<testsuite/> more', 'behind its end'],
  ['ok', 'contains no test suite'],
])('%s is no report', (xml, message) => expect(() => readJunit(xml)).toThrow(message));
