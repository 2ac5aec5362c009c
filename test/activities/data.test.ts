// Data on a real server: rows found in one pass, fixed with their before-images, put back only where nobody
// has changed them since.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  BACKUP,
  type Bench,
  DATA,
  failureOf,
  type Hands,
  MIGRATE,
  permit,
  raiseBench,
} from '../support/hands.ts';
import { judge, type Judged, unequal } from '../support/judge.ts';

let bench: Bench;
beforeAll(async () => void (bench = await raiseBench()));
afterAll(() => bench?.stop());

const snapshot = (hands: Hands) => judge(hands.url);
/** All that differs; sequences may be ahead. */
const rowsChanged = async (hands: Hands, before: Judged) => unequal(before, await snapshot(hands));
const images = async (hands: Hands, step = 'data: fix') =>
  (
    await hands.world.artifacts
      .read(`rollouts/${hands.rollout.hash}/fix-${hands.step(step).index}.jsonl`)
      .catch(() => '')
  )
    .split('\n')
    .filter((line) => line !== '')
    .map(
      (line) =>
        JSON.parse(line) as { table: string; key: string; before: object | null; after: object | null },
    );

describe('rules', () => {
  const steps = `${BACKUP}  - step: data
    data:
      rules:
        - { rule: negative-total, table: orders, bad: total_cents < 0, fix: total_cents = -total_cents, message: turned }
        - { rule: zero-qty, table: order_items, bad: qty = 0, fix: qty = 1 }
        - { rule: unknown-status, table: orders, bad: "status = 'unknown'" }
        - { rule: no-customer, table: orders, bad: customer_id is null }
      people-decide: { unknown-status: [fixed-manually] }
${MIGRATE}`;

  test('are counted in one pass a table and named in one more; findings are fixable, for people, or neither', async () => {
    const hands = await permit(bench, { steps });
    await hands.sql("update orders set status = 'unknown' where id in (3, 4)");
    const scans = async () =>
      Number(
        (
          await hands.sql<{ n: string }>(
            "select seq_scan as n from pg_stat_user_tables where relname = 'orders'",
          )
        )[0]?.n,
      );
    const before = await scans();
    const receipt = await hands.run('data');
    expect(await scans()).toBe(before + 2);
    expect(receipt).toMatchObject({ verdict: 'fail', figures: { findings: 9, auto: 7, people: 2, none: 0 } });
    expect(receipt.findings).toContainEqual({
      category: 'negative-total',
      key: 'orders 10',
      fix: 'auto',
      message: 'turned',
    });
    expect(receipt.findings).toContainEqual({
      category: 'unknown-status',
      key: 'orders 3',
      fix: 'people',
      message: "status = 'unknown'",
    });
  });

  test('a condition that SQL does not understand is an error, never "no findings"', async () => {
    const hands = await permit(bench, { steps: BACKUP + DATA.replace('qty = 0', 'quantity = 0') + MIGRATE });
    expect(await hands.run('data')).toMatchObject({
      verdict: 'error',
      summary: expect.stringContaining('quantity'),
    });
    const silent = await permit(bench, {
      steps: `${BACKUP}  - { step: data, data: { check: { command: [sh, -c, 'echo all is well'] } } }\n${MIGRATE}`,
    });
    expect(await silent.run('data')).toMatchObject({
      verdict: 'error',
      summary: expect.stringContaining('no findings as JSON'),
    });
  });

  test('fix keeps before-images, does nothing twice, and its undo leaves alone what somebody changed since', async () => {
    const hands = await permit(bench, { steps: BACKUP + DATA + MIGRATE });
    await hands.run('backup');
    const before = await snapshot(hands);
    expect(await hands.run('data: fix')).toMatchObject({ verdict: 'pass', figures: { fixed: 7 } });
    expect(await hands.run('data: fix', { attempt: 2 })).toMatchObject({
      verdict: 'pass',
      figures: { fixed: 0 },
    });
    expect(await images(hands)).toHaveLength(7);
    expect(await hands.run('data: again')).toMatchObject({ verdict: 'pass', summary: 'no findings' });
    await hands.sql(
      "update orders set status = 'shipped' where id = 10; delete from order_items where order_id = 25",
    );
    const undone = await hands.undo('data: fix');
    expect(undone).toMatchObject({
      done: true,
      differences: [],
      summary: '5 of 7 rows put back, 2 left because they were changed since',
    });
    expect(undone.notes?.join('\n')).toMatch(/public\.orders 10: changed by somebody/u);
    expect(
      await hands.sql('select total_cents::int, status from orders where id in (10, 20) order by id'),
    ).toEqual([
      { total_cents: 100, status: 'shipped' },
      { total_cents: -100, status: 'paid' },
    ]);
    expect(await hands.undo('data: fix', { attempt: 2 }), 'idempotent').toMatchObject({
      done: true,
      differences: [],
    });
    await hands.sql(
      "update orders set status = 'paid', total_cents = -100 where id = 10; insert into order_items values (25, 'sku', 0, 100)",
    );
    expect(await rowsChanged(hands, before)).toEqual([]);
  });

  test('a fix that was cut off in the middle rolls back as far as it went', async () => {
    const hands = await permit(bench, {
      steps: BACKUP + DATA.replace('fix: qty = 1', 'fix: qty = 1 / 0, message: it fails') + MIGRATE,
    });
    await hands.run('backup');
    const before = await snapshot(hands);
    expect(await hands.run('data: fix')).toMatchObject({
      verdict: 'error',
      summary: expect.stringMatching(/^zero-qty fails: division by zero.*; 5 rows fixed before$/u),
    });
    expect(await images(hands)).toHaveLength(5);
    expect(await hands.undo('data: fix')).toMatchObject({ done: true, summary: '5 of 5 rows put back' });
    expect(await rowsChanged(hands, before)).toEqual([]);
  });
});

describe('a command of the release', () => {
  const CHECK = `select coalesce(json_agg(json_build_object('category', 'negative-total', 'key', id::text, 'fix', 'auto', 'message', 'negative')), '[]') from orders where total_cents < 0`;
  const FIX = `update orders set total_cents = -total_cents where total_cents < 0; delete from order_items where qty = 0; insert into customers (name, email) values ('Nobody', 'nobody@example.org') on conflict do nothing`;
  const steps = (fix: string, tables = '', sleep = '') => `${BACKUP}  - step: data
    data:
      check: { command: [psql, -XAtqc, "${CHECK}"] }
      fix: { command: [psql, -Xq, -v, ON_ERROR_STOP=1, -c, "${fix}"${sleep}]${tables} }
${MIGRATE}`;

  const untilFixed = async (hands: Hands) => {
    while ((await hands.sql("select from customers where name = 'Nobody'")).length === 0)
      await new Promise((resolve) => setTimeout(resolve, 50));
  };

  test('its findings are the documented JSON', async () => {
    const hands = await permit(bench, { steps: steps(FIX) });
    expect(await hands.run('data')).toMatchObject({ verdict: 'pass', figures: { auto: 5, people: 0 } });
  });

  test('S1-37: a step that only looks fails on what a machine could fix, and changes nothing', async () => {
    const hands = await permit(bench, {
      steps: `${BACKUP}  - step: data\n    data: { check: { command: [psql, -XAtqc, "${CHECK}"] } }\n${MIGRATE}`,
    });
    expect(await hands.run('data')).toMatchObject({ verdict: 'fail', figures: { findings: 5, auto: 5 } });
    expect(await hands.sql('select from orders where total_cents < 0')).toHaveLength(5);
  });

  test('T-66: a report of check marks alone is no report; marks within the JSON mean nothing and are kept as they are', async () => {
    const says = (words: string) =>
      permit(bench, {
        steps: `${BACKUP}  - step: data\n    data: { check: { command: [echo, ${JSON.stringify(words)}] } }\n${MIGRATE}`,
      });
    expect(await (await says('✓ No data integrity issues found!')).run('data')).toMatchObject({
      verdict: 'error',
      summary: expect.stringContaining('no findings as JSON'),
    });
    const finding = { category: 'xp', key: 'characters 1', fix: 'none', message: '✓ xp −5 → 0 ℹ' };
    expect(await (await says(JSON.stringify([finding]))).run('data')).toMatchObject({
      verdict: 'fail',
      findings: [finding],
    });
  });

  test('what it changes, adds and removes has its before-image, and rolls back', async () => {
    const hands = await permit(bench, { steps: steps(FIX) });
    await hands.run('backup');
    const before = await snapshot(hands);
    expect(await hands.run('data: fix')).toMatchObject({ verdict: 'pass', figures: { fixed: 8 } });
    expect(await hands.run('data: again')).toMatchObject({ verdict: 'pass' });
    const kept = await images(hands);
    expect(kept.filter(({ before: was, after }) => was && after)).toHaveLength(5);
    expect(kept.filter(({ after }) => after === null).map(({ table }) => table)).toEqual([
      'public.order_items',
      'public.order_items',
    ]);
    expect(kept.filter(({ before: was }) => was === null).map(({ table }) => table)).toEqual([
      'public.customers',
    ]);
    // Another attempt runs it again; nothing is changed, no image is lost.
    expect(await hands.run('data: fix', { attempt: 2 })).toMatchObject({ figures: { fixed: 0 } });
    expect(await images(hands)).toEqual(kept);
    expect(await hands.undo('data: fix')).toMatchObject({
      done: true,
      differences: [],
      summary: '8 of 8 rows put back',
    });
    expect(await rowsChanged(hands, before)).toEqual([]);
  });

  test('what the application writes meanwhile is not taken for its work, and is not put back', async () => {
    const hands = await permit(bench, { steps: steps(`${FIX}; select pg_sleep(1.5)`) });
    await hands.run('backup');
    const fixing = hands.run('data: fix');
    while (
      (
        await hands.sql(
          "select from pg_stat_activity where query like '%pg_sleep(1.5)%' and application_name like 'sg:%' and backend_xid is not null",
        )
      ).length === 0
    )
      await new Promise((resolve) => setTimeout(resolve, 20));
    await hands.sql(
      "update orders set status = 'shipped' where id = 1; insert into customers (name, email) values ('Meanwhile', 'meanwhile@example.org')",
    );
    const receipt = await fixing;
    expect(receipt).toMatchObject({ verdict: 'pass', figures: { fixed: 8 } });
    expect(receipt.details).toEqual(
      expect.arrayContaining([
        'public.customers: 1 row changed meanwhile by others; they are left alone',
        'public.orders: 1 row changed meanwhile by others; they are left alone',
      ]),
    );
    expect(await hands.undo('data: fix')).toMatchObject({ done: true, summary: '8 of 8 rows put back' });
    expect(
      await hands.sql(
        "select from pg_trigger where tgname like 'soakgate%' union all select from pg_proc where proname like 'note_own%'",
      ),
    ).toEqual([]);
    expect(await hands.sql("select from customers where name = 'Meanwhile'")).toHaveLength(1);
    expect(await hands.sql("select from orders where id = 1 and status = 'shipped'")).toHaveLength(1);
  });

  test('killed after its command has written: the next attempt still knows these rows, and they roll back', async () => {
    const hands = await permit(bench, { steps: steps(FIX, '', ', -c, select pg_sleep(60)') });
    await hands.run('backup');
    const before = await snapshot(hands);
    const cut = failureOf(
      hands.run('data: fix', {
        during: (environment) => void untilFixed(hands).then(() => environment.cancel()),
      }),
    );
    expect((await cut).code).toBe('CancelledFailure');
    const again = failureOf(
      hands.run('data: fix', {
        attempt: 2,
        during: (environment) => void setTimeout(() => environment.cancel(), 1_500),
      }),
    );
    expect((await again).code).toBe('CancelledFailure');
    await hands.sql("update orders set status = 'shipped' where id = 1");
    expect(await hands.undo('data: fix')).toMatchObject({ done: true, summary: '8 of 8 rows put back' });
    expect(await rowsChanged(hands, before)).toEqual(['public.orders']);
    expect(await hands.sql("select from pg_trigger where tgname like 'soakgate%'")).toEqual([]);
  });

  test('a row that the application changed after the command did stays as the application left it', async () => {
    const hands = await permit(bench, {
      steps: steps(`${FIX}; commit; select pg_sleep(1.5)`.replace('update', 'begin; update')),
    });
    await hands.run('backup');
    const fixing = hands.run('data: fix');
    await untilFixed(hands);
    await hands.sql("update orders set status = 'shipped' where id = 10");
    expect(await fixing).toMatchObject({ verdict: 'pass', figures: { fixed: 8 } });
    expect(await hands.undo('data: fix')).toMatchObject({
      done: true,
      summary: '7 of 8 rows put back, 1 left because they were changed since',
    });
    expect(
      await hands.sql("select from orders where id = 10 and status = 'shipped' and total_cents = 100"),
    ).toHaveLength(1);
  });

  test('only listed tables are copied; rows that a foreign key holds back come after those they point to', async () => {
    const hands = await permit(bench, {
      steps: steps(
        'delete from order_items where order_id = 9; delete from orders where id = 9',
        ', tables: [orders, order_items]',
      ),
    });
    await hands.run('backup');
    const before = await snapshot(hands);
    expect(await hands.run('data: fix')).toMatchObject({ figures: { fixed: 2 } });
    expect(await hands.undo('data: fix')).toMatchObject({ done: true, summary: '2 of 2 rows put back' });
    expect(await rowsChanged(hands, before)).toEqual([]);
  });

  test('one that was ended in the middle: its undo finds what it had done', async () => {
    const hands = await permit(bench, { steps: steps(FIX, '', ', -c, select pg_sleep(60)') });
    await hands.run('backup');
    const before = await snapshot(hands);
    const cut = failureOf(
      hands.run('data: fix', {
        during: (environment) => void untilFixed(hands).then(() => environment.cancel()),
      }),
    );
    expect((await cut).code).toBe('CancelledFailure');
    expect(await hands.sql('select from orders where total_cents < 0')).toHaveLength(0);
    expect(await hands.undo('data: fix')).toMatchObject({ done: true, summary: '8 of 8 rows put back' });
    expect(await rowsChanged(hands, before)).toEqual([]);
  });

  test('one that fails says so, with images of what it changed; one that changes a table without a primary key fails', async () => {
    const failing = await permit(bench, {
      steps: steps(`${FIX}; commit; select 1 / 0`.replace('update', 'begin; update')),
    });
    await failing.run('backup');
    expect(await failing.run('data: fix')).toMatchObject({
      verdict: 'fail',
      summary: 'the fix ended with 1; 8 rows changed',
      figures: { fixed: 8 },
    });
    const keyless = await permit(bench, { steps: steps('update heap set n = 2') });
    await keyless.sql('create table heap (n int); insert into heap values (1)');
    await keyless.run('backup');
    expect(await keyless.run('data: fix')).toMatchObject({
      verdict: 'fail',
      summary: expect.stringContaining('public.heap, which has no primary key'),
    });
  });
});
