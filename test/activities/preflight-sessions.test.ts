// How many sessions a rollout has at once is asked before anything is done, and the number is true: with as
// many as preflight asks for everything goes through, with fewer a backup fails.
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Comparison } from '../../src/core/activities.ts';
import {
  BACKUP,
  type Bench,
  DATA,
  type Hands,
  type HandsSpec,
  MIGRATE,
  permit,
  PREVIEW,
  query,
  raiseBench,
} from '../support/hands.ts';
import { people, restoredBy, RESTORES } from '../support/restoring.ts';

const MOST = 30;
let bench: Bench;
beforeAll(async () => {
  bench = await raiseBench([`max_connections=${MOST}`]);
});
afterAll(() => bench?.stop());

const inPostgres = (sql: string) => query(bench.postgres.url('postgres'), sql);
const PREFLIGHT = '  - { step: preflight, preflight: {} }\n';
const steps = PREFLIGHT + BACKUP + DATA + PREVIEW + MIGRATE;
const folder = (jobs: number) =>
  PREFLIGHT + BACKUP.replace('format: custom', `format: directory, jobs: ${jobs}`) + MIGRATE;

/** A role that owns a clone of the orders; in `limits`, `ROLE` and `NAME` stand for it and its database. */
async function owner(limits: string): Promise<{ role: string; name: string; url: string }> {
  const role = `limited${randomUUID().slice(0, 8)}`;
  const [name, url] = [`d_${role}`, bench.postgres.url(`d_${role}`)];
  await inPostgres(`create role ${role} login createdb`);
  await bench.postgres.createDatabase(name, 'orders_template');
  await query(
    url,
    `do $$ declare s text; begin
       for s in select format('alter table %s owner to ${role}', c.oid::regclass) from pg_class c
           join pg_namespace n on n.oid = c.relnamespace
           where n.nspname in ('public', 'audit') and c.relkind in ('r', 'v')
         union all select format('alter function %s owner to ${role}', oid::regprocedure) from pg_proc
           where pronamespace in ('public'::regnamespace, 'audit'::regnamespace)
         loop execute s; end loop; end $$;
     alter schema audit owner to ${role};
     alter database ${name} owner to ${role}`,
  );
  await inPostgres(limits.replaceAll('ROLE', role).replaceAll('NAME', name));
  return { role, name, url: url.replace('//postgres@', `//${role}@`) };
}

const asked = async (spec: Partial<HandsSpec>) => (await permit(bench, { steps, ...spec })).run('preflight');

/** Each session stays open as long as `act` runs. */
async function beside<T>(url: string, sessions: number, act: () => Promise<T>): Promise<T> {
  const others = Array.from({ length: sessions }, () => new pg.Client({ connectionString: url }));
  for (const other of others) await other.connect();
  try {
    return await act();
  } finally {
    for (const other of others) await other.end();
  }
}

/** Each step that opens sessions, up to the restore and its comparison. */
async function allOf(hands: Hands): Promise<void> {
  for (const step of ['backup', 'data', 'data: fix', 'preview', 'migrate'])
    expect(await hands.run(step), step).toMatchObject({ verdict: 'pass' });
  const { rollout } = hands;
  await query(hands.url, 'update customers set name = name || id');
  expect(await hands.call<Comparison>('compareRollback', { rollout, ran: [] })).toMatchObject({
    equal: false,
  });
  expect(await restoredBy(hands)).toMatchObject({ done: true });
  expect(await hands.call<Comparison>('compareRollback', { rollout, ran: [] })).toMatchObject({
    equal: true,
  });
}

describe.each([
  ['role', 'alter role ROLE connection limit MOST'],
  ['database', 'alter database NAME connection limit MOST'],
] as const)('the connection limit of the %s', (of, sql) => {
  const limited = (most: number) => owner(sql.replace('MOST', String(most)));

  test('too few: refused with the statement that helps', async () => {
    const { role, name, url } = await limited(2);
    const what = of === 'role' ? role : name;
    const refused = await asked({ url });
    expect(refused).toMatchObject({
      verdict: 'fail',
      details: [
        `${of} ${what} may have 2 sessions (connection limit), of which 0 are in use now; a rollout of this plan ` +
          `has up to 4 at once as role ${role}: alter ${of} ${what} connection limit 4`,
      ],
    });
    await inPostgres(refused.summary.split(': ').at(-1)!);
    const hands = await permit(bench, { steps, url, fallbacks: RESTORES, people });
    const preflight = await hands.run('preflight');
    expect(preflight, preflight.details?.join('\n')).toMatchObject({ verdict: 'pass' });
    expect(preflight.details).toContain(`role ${role} may open the 4 sessions that a rollout has at once`);
    // On a busy machine more than one session may still be ending when the next begins.
    await inPostgres(`alter ${of} ${what} connection limit 6`);
    await allOf(hands);
  });

  test('a dump by several jobs needs a session for each', async () => {
    const { role, url } = await limited(6);
    expect(await asked({ url, steps: folder(3) })).toMatchObject({
      verdict: 'fail',
      summary: expect.stringMatching(
        /has up to 7 at once .* connection limit 7, or back up with fewer jobs$/u,
      ),
    });
    expect((await asked({ url, steps: folder(1) })).details).toContain(
      `role ${role} may open the 4 sessions that a rollout has at once`,
    );
    expect(await asked({ url, steps: folder(2) })).toMatchObject({ verdict: 'pass' });
    await inPostgres(sql.replaceAll('ROLE', role).replaceAll('NAME', `d_${role}`).replace('MOST', '8'));
    expect(await (await permit(bench, { url, steps: folder(2) })).run('backup')).toMatchObject({
      verdict: 'pass',
    });
    await inPostgres(`alter role ${role} connection limit -1; alter database d_${role} connection limit 7`);
    expect(await asked({ url, steps: folder(3) })).toMatchObject({ verdict: 'pass' });
    await inPostgres(`alter database d_${role} connection limit 9`);
    expect(await (await permit(bench, { url, steps: folder(3) })).run('backup')).toMatchObject({
      verdict: 'pass',
    });
  });

  test('what the application has open is not free', async () => {
    const { url } = await limited(5);
    expect(await asked({ url })).toMatchObject({ verdict: 'pass' });
    expect(await beside(url, 2, () => asked({ url }))).toMatchObject({
      verdict: 'fail',
      summary: expect.stringMatching(/of which 2 are in use now; .* connection limit 6$/u),
    });
  });

  test('a superuser is not limited', async () => {
    const { role, url } = await limited(1);
    await inPostgres(`alter role ${role} superuser`);
    expect(await asked({ url })).toMatchObject({ verdict: 'pass' });
    expect(await (await permit(bench, { url, steps })).run('backup')).toMatchObject({ verdict: 'pass' });
  });
});

test('monitors that ask the database are read at the same time', async () => {
  const { url } = await owner('alter role ROLE connection limit 4');
  const judged = 'objective: exactly 0, alert: above 2 in a row';
  const monitor = (_: unknown, at: number) =>
    `m${at}: { read: { sql: m${at}.sql }, metrics: { rows: { at: /rows, ${judged} } } }`;
  const site = `site: { read: { http: { get: /health, status: 200 } }, metrics: { failures: { ${judged} } } }`;
  const monitors = `{ ${[site, ...Array.from({ length: 5 }, monitor)].join(', ')} }`;
  expect(await asked({ url, monitors })).toMatchObject({
    verdict: 'fail',
    summary: expect.stringContaining('has up to 6 at once'),
  });
});

test('the database from which names are swapped has a limit, too', async () => {
  const { url } = await owner('alter database postgres connection limit 1');
  try {
    expect(await asked({ url })).toMatchObject({
      verdict: 'fail',
      summary: expect.stringMatching(
        /^database postgres may have 1 sessions .* alter database postgres connection limit 2$/u,
      ),
    });
  } finally {
    await inPostgres('alter database postgres connection limit -1');
  }
});

test('a second login that restores has limits of its own', async () => {
  const { role, name, url } = await owner(
    'create role copies_ROLE login createdb connection limit 1; grant ROLE to copies_ROLE',
  );
  process.env['COPIES_URL'] = url.replace(`//${role}@`, `//copies_${role}@`);
  for (const [format, needed] of [
    ['custom', 2],
    ['directory', 3],
  ] as const) {
    await inPostgres(`alter role copies_${role} connection limit ${needed - 1}`);
    const spec = {
      url,
      steps:
        PREFLIGHT +
        BACKUP.replace('custom', format).replace('keep: 30d', 'keep: 30d, restore-as: { env: COPIES_URL }') +
        MIGRATE,
    };
    const refused = await asked(spec);
    expect(refused).toMatchObject({
      verdict: 'fail',
      details: [expect.stringContaining(`alter role copies_${role} connection limit ${needed}`)],
    });
    await inPostgres(`alter role copies_${role} connection limit ${needed}`);
    const preflight = await asked(spec);
    expect(preflight, preflight.details?.join('\n')).toMatchObject({ verdict: 'pass' });
    expect(await (await permit(bench, spec)).run('backup')).toMatchObject({ verdict: 'pass' });
  }
  expect(name).toContain(role);
});

test('a server that is nearly full, of which a superuser may use more', async () => {
  const { role, url } = await owner('select 1');
  const full = MOST - 3 - 3;
  await beside(url, full, async () => {
    expect(await asked({ url })).toMatchObject({
      verdict: 'fail',
      details: [
        `the server takes ${MOST} sessions (max_connections), of which 3 are reserved and ${full} are in use now; a ` +
          `rollout of this plan has up to 4 at once as role ${role}: end sessions that nobody needs, or raise ` +
          'max_connections',
      ],
    });
    expect(await asked({ url: url.replace(`//${role}@`, '//postgres@') })).toMatchObject({ verdict: 'pass' });
  });
  expect(await asked({ url })).toMatchObject({ verdict: 'pass' });
});
