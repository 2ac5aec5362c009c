// What stands in logs and in the sessions of a real server: counted, named, kept for the evidence.
import { appendFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { newSoak, type ObserveResult, type SoakState } from '../../src/core/soak.ts';
import {
  BACKUP,
  type Bench,
  DATA,
  type Hands,
  MIGRATE,
  permit,
  query,
  raiseBench,
} from '../support/hands.ts';

let bench: Bench;
beforeAll(async () => void (bench = await raiseBench()));
afterAll(() => bench?.stop());

const open = (monitors: string) =>
  permit(bench, {
    steps: BACKUP + DATA + MIGRATE,
    monitors,
    soak: '{ for: 7d, every: 1h, gap: at most 5h }',
    pace: { nominalMs: 604_800_000, realMs: 60_000 },
  });
const observe = (
  hands: Hands,
  sliceMs: number,
  state: SoakState = newSoak(),
  during: () => unknown = () => undefined,
) =>
  hands.call<ObserveResult>(
    'observe',
    { rollout: hands.rollout, phase: 'soak', sliceMs, state },
    { during: () => void setTimeout(during, 600) },
  );
const evidence = async (hands: Hands) =>
  hands.world.artifacts.read(`evidence/${hands.rollout.deployment}/logs/here/soak-metrics.jsonl`);

describe('a log', () => {
  const MONITORS = `{ log: { read: { log: { files: [logs/all.log, logs/errors.log], keep: 1, lines: {
      integrity: 'IntegrityError.*"(\\w+)"', validation: ValidationError, rollbacks: rolled back, slow: 'took \\d{4,} ms' } } },
    metrics: { integrity: { objective: exactly 0 per day, alert: above 0, advice: look at the form that sent it }, validation: { objective: at most 5 per day },
      rollbacks: { objective: at most 5 per day }, slow: { objective: exactly 0 per day } } } }`;
  const ALL = ['ValidationError: xp', 'rolled back', 'spend took 1200 ms', 'all is well']
    .map((line) => `${line}\n`)
    .join('');
  const ERROR = 'ERROR IntegrityError: violates check constraint "orders_total_non_negative"\n';
  async function logging(): Promise<Hands> {
    const hands = await open(MONITORS);
    await mkdir(join(hands.root, 'logs'), { recursive: true });
    for (const name of ['all.log', 'errors.log'])
      await writeFile(join(hands.root, 'logs', name), `${ERROR}${ALL}`);
    return hands;
  }
  const write = (hands: Hands, name: string, text: string) =>
    appendFile(join(hands.root, 'logs', name), text);

  test(
    'S0-51, S0-52: an error in both files is one alert that names its constraint; what was there ' +
      'before is none',
    async () => {
      const hands = await logging();
      expect(await observe(hands, 1_500)).toMatchObject({ breaches: [] });
      const result = await observe(hands, 60_000, newSoak(), async () => {
        await write(hands, 'all.log', ALL + ERROR);
        await write(hands, 'errors.log', ERROR);
      });
      expect(result.breaches.map(({ text }) => text)).toEqual([
        'log/integrity is 1, alert above 0; orders_total_non_negative ×1; look at the form that sent it',
      ]);
      const metrics = result.summary.join('\n');
      for (const name of ['validation', 'rollbacks', 'slow'])
        expect(metrics).toMatch(new RegExp(`log/${name}: \\d+ samples, mean [\\d.]+, 0 … 1`, 'u'));
      expect(await evidence(hands), 'kept for the evidence').toContain('violates check constraint');
    },
  );

  test('T-55: rotated in the middle of a soak, nothing is lost and nothing counted twice', async () => {
    const hands = await logging();
    const first = await observe(hands, 1_000);
    await write(hands, 'all.log', 'rolled back\n');
    await rename(join(hands.root, 'logs/all.log'), join(hands.root, 'logs/all.log.1'));
    await writeFile(join(hands.root, 'logs/all.log'), 'rolled back again\n');
    const { state } = await observe(hands, 1_500, first.state);
    expect(state.metrics['log/rollbacks']?.sum).toBe(2);
  });

  test('rule 7: a secret that stands in a line is hidden before anything travels', async () => {
    const hands = await open(MONITORS);
    await mkdir(join(hands.root, 'logs'), { recursive: true });
    for (const name of ['all.log', 'errors.log']) await writeFile(join(hands.root, 'logs', name), '');
    const { state } = await observe(hands, 1_500, newSoak(), () =>
      write(
        hands,
        'all.log',
        'IntegrityError "x" for postgres://app:S3cr3tWord@db/shop\nValidationError password=S3cr3tWord\n',
      ),
    );
    expect(state.metrics['log/integrity']).toMatchObject({ most: 1, about: 'x ×1' });
    expect(JSON.stringify(state) + (await evidence(hands))).not.toContain('S3cr3tWord');
    const catching = await open(
      MONITORS.replace('validation: ValidationError', "validation: 'ValidationError (.*)'"),
    );
    await mkdir(join(catching.root, 'logs'), { recursive: true });
    for (const name of ['all.log', 'errors.log']) await writeFile(join(catching.root, 'logs', name), '');
    const caught = await observe(catching, 1_500, newSoak(), () =>
      write(catching, 'all.log', 'ValidationError password=S3cr3tWord\n'),
    );
    expect(caught.state.metrics['log/validation']?.about).toBe('password=••• ×1');
  });

  test('one that is not there, or of which lines are gone, is a missing sample', async () => {
    const hands = await open(MONITORS);
    const { state } = await observe(hands, 800);
    expect(state.metrics['log/integrity']).toMatchObject({ read: 0, last: null });
    expect(await evidence(hands)).toContain('ENOENT');
  });
});

describe('sessions', () => {
  const MONITORS =
    '{ sessions: { read: { sessions: { slow: 1s } }, every: 1h, metrics: { slow: { objective: exactly ' +
    '0, alert: above 0 }, waiting: { alert: above 0 }, unindexed: { objective: exactly 0 } } } }';
  const clients: pg.Client[] = [];
  const client = async ({ url }: Hands, name: string) => {
    const made = new pg.Client({ connectionString: url, application_name: name });
    made.on('error', () => undefined);
    await made.connect();
    clients.push(made);
    return made;
  };
  afterEach(async () => {
    for (const made of clients.splice(0)) await made.end();
  });

  test('S0-55: a transaction of two seconds is listed with its age and its statement, without its values', async () => {
    const hands = await open(MONITORS);
    const sleeper = await client(hands, 'nightly-report');
    await sleeper.query("begin; select count(*) from orders where status = 'Ann'");
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const { breaches } = await observe(hands, 60_000);
    expect(breaches[0]?.text).toMatch(
      /^sessions\/slow is 1, alert above 0; nightly-report \(pid \d+\) in its transaction for 2\.\d s \(idle in transaction\): begin ?;? ?select count\(\*\) from orders where status = \?$/u,
    );
  });

  test(
    'S0-74: who waits for a lock is named with who is in the way; a foreign key without an index is ' +
      'found',
    async () => {
      const hands = await open(MONITORS.replace('alert: above 0 }, waiting', 'alert: above 9 }, waiting'));
      await hands.sql('create table notes (id int primary key, order_id bigint references orders (id))');
      const [holder, waiter] = [await client(hands, 'shop-web'), await client(hands, 'stock')];
      const { rows } = await holder.query<{ pid: number }>('select pg_backend_pid() as pid');
      await holder.query('begin');
      await holder.query("update orders set status = 'paid' where id = 1");
      const waits = waiter.query("update orders set status = 'shipped' where id = 1");
      await new Promise((resolve) => setTimeout(resolve, 300));
      const { breaches, state } = await observe(hands, 60_000);
      await holder.query('rollback');
      await waits;
      expect(breaches[0]?.text).toMatch(
        new RegExp(
          `^sessions/waiting is 1, alert above 0; stock \\(pid \\d+\\) waits for shop-web \\(pid ` +
            `${rows[0]?.pid}\\): update orders set status = \\? where id = \\?$`,
          'u',
        ),
      );
      expect(state.metrics['sessions/unindexed']?.about).toContain(
        'public.notes (notes_order_id_fkey) has no index',
      );
    },
  );

  test('what the role may not see is no zero: a missing sample that names the grant', async () => {
    await query(bench.postgres.url('postgres'), 'create role blind login');
    const hands = await permit(bench, {
      steps: BACKUP + DATA + MIGRATE,
      monitors: MONITORS,
      asRole: (url) => url.replace('postgres://postgres@', 'postgres://blind@'),
    });
    await client(hands, 'somebody');
    const { state } = await observe(hands, 300);
    expect(state.metrics['sessions/slow']).toMatchObject({ read: 0, missing: 1 });
    expect(await evidence(hands)).toContain(
      'role blind may not see the sessions of postgres: grant pg_read_all_stats to blind',
    );
  });

  test('S0-75: of a deadlock both statements are kept, and what to do about it is said', async () => {
    const hands =
      await open(`{ server: { read: { log: { files: [log], keep: 6, lines: { deadlocks: deadlock detected } } },
      metrics: { deadlocks: { objective: exactly 0 per day, alert: above 0, advice: lock rows in one order; keep transactions short; try 40P01 again } } } }`);
    const [{ data_directory: data } = { data_directory: '' }] = await hands.sql<{ data_directory: string }>(
      'show data_directory',
    );
    Object.assign(hands.world.settings.services['orders']!, { logs: dirname(data) });
    const [one, other] = [await client(hands, 'one'), await client(hands, 'other')];
    const result = await observe(hands, 60_000, newSoak(), async () => {
      const lock = (who: pg.Client, id: number) =>
        who.query(`update orders set status = status where id = ${id}`);
      for (const who of [one, other]) await who.query('begin');
      await lock(one, 1);
      await lock(other, 2);
      await Promise.allSettled([lock(one, 2), lock(other, 1)]);
      for (const who of [one, other]) await who.query('rollback');
    });
    expect(result.breaches[0]?.text).toBe(
      'server/deadlocks is 1, alert above 0; lock rows in one order; keep transactions short; try ' +
        '40P01 again',
    );
    const kept = await evidence(hands);
    expect(kept).toMatch(/Process \d+: update orders set status = status where id = 2/u);
    expect(kept).toMatch(/Process \d+: update orders set status = status where id = 1/u);
    expect(await readFile(join(dirname(data), 'log'), 'utf8')).toContain('deadlock detected');
  });
});
