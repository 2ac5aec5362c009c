// What real worker processes write on stderr: JSON lines with names, a retry in one line, no secrets; on a
// terminal lines for people.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startWorker, workerEntry } from '../../src/cli/demo/worker-process.ts';
import { gatedPlan } from '../cli/play.ts';
import { openPseudoTerminal } from '../support/pseudo-terminal.ts';
import { type Cast, query, raiseEnvironment, raiseStage, type Stage, start } from '../support/stage.ts';

/**
 * The role of the target, which is not there at first; its password is its name, so that PostgreSQL repeats
 * it.
 */
const WATCHWORD = 'watchword-of-staging';

interface Entry {
  readonly level: string;
  readonly msg: string;
  readonly [name: string]: unknown;
}

const entriesOf = async (log: string): Promise<readonly Entry[]> =>
  (await readFile(log, 'utf8'))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Entry);

let stage: Stage;
let cast: Cast;
let log = '';
let deployment = '';
beforeAll(async () => {
  stage = await raiseStage();
  const target = new URL(stage.postgres.url('postgres'));
  Object.assign(target, { username: WATCHWORD, password: WATCHWORD });
  cast = await raiseEnvironment(stage, target.href);
  log = join(cast.place.folder, 'worker.log');
  const plan = gatedPlan('staging')
    .replace(/gate:\n(?: .*\n)+/u, '')
    .replace(
      'check: { command: [psql, -Xqc, select 1] }',
      'check: { sql: select 1, returns: { value: exactly 1 } }',
    );
  ({ deployment } = await start(stage, plan));
}, 60_000);
afterAll(async () => {
  await cast?.stop();
  await stage?.stop();
});

describe('not on a terminal', () => {
  test(
    'every line is JSON; a step names its deployment, environment and attempt; a retry is one line ' +
      'without a stack',
    async () => {
      const failures = async () =>
        (await entriesOf(log)).filter(({ msg }) => msg.startsWith('check failed: '));
      await expect.poll(async () => (await failures()).length, { timeout: 60_000 }).toBeGreaterThan(1);
      const [first, second] = await failures();
      const names = {
        level: 'warn',
        process: 'environment worker',
        deployment,
        environment: 'staging',
        step: 'look',
        activity: 'check',
      };
      expect(first).toMatchObject({
        ...names,
        attempt: 1,
        code: 'TARGET_UNREACHABLE',
        msg: expect.stringContaining('cannot be reached'),
      });
      expect(second).toMatchObject({ ...names, attempt: 2, workflow: 'rollout/orders/staging' });
      expect(second).not.toHaveProperty('stack');

      await query(stage.postgres.url('postgres'), `create role "${WATCHWORD}" login password '${WATCHWORD}'`);
      const passed = async () =>
        (await entriesOf(log)).find(({ msg, step }) => step === 'look' && msg.startsWith('check pass: '));
      await expect
        .poll(passed, { timeout: 60_000 })
        .toMatchObject({ level: 'info', deployment, environment: 'staging', ms: expect.any(Number) });
      await expect
        .poll(async () => (await entriesOf(log)).find(({ step }) => step === 'switch'), { timeout: 60_000 })
        .toMatchObject({ level: 'info', msg: expect.stringContaining('switchRelease pass: current → ') });
    },
  );

  test('no secret of the target is in it, and no news that nobody asked for', async () => {
    const text = await readFile(log, 'utf8');
    expect(text).not.toContain(WATCHWORD);
    expect(text).toContain('role \\"•••\\" does not exist');
    expect(text).not.toContain('No workflows registered');
    const control = await entriesOf(join(cast.place.folder, 'control.log'));
    expect(control).toContainEqual(
      expect.objectContaining({
        level: 'info',
        process: 'control worker',
        msg: expect.stringMatching(/is ready/u),
      }),
    );
  });

  test('--log-level debug shows what the SDK does and the stack of a failure, in the same line', async () => {
    const own = join(stage.folder, 'debug.log');
    const env = {
      PATH: process.env['PATH'] ?? '',
      TEMPORAL_ADDRESS: stage.server.address,
      DATABASE_URL: cast.database,
    };
    const worker = await startWorker({
      args: ['environment', '--file', cast.place.file, '--log-level', 'debug'],
      cwd: stage.folder,
      env,
      log: own,
    });
    await worker.stop();
    expect(await entriesOf(own)).toContainEqual(
      expect.objectContaining({ level: 'debug', msg: expect.stringContaining('No workflows registered') }),
    );
    await expect(
      startWorker({
        args: ['environment', '--file', 'nowhere.yaml', '--log-level', 'debug'],
        cwd: stage.folder,
        env,
        log: own,
      }),
    ).rejects.toThrow('the worker environment');
    expect((await entriesOf(own)).at(-1)).toMatchObject({
      level: 'error',
      msg: expect.stringContaining('nowhere.yaml'),
      stack: expect.stringContaining('settings.ts'),
    });
  });
});

test('on a terminal it is a line for people', async () => {
  const argv = [process.execPath, workerEntry(), 'environment', '--file', cast.place.file];
  const env = { ...process.env, TEMPORAL_ADDRESS: stage.server.address, DATABASE_URL: cast.database };
  const terminal = await openPseudoTerminal(argv, env, { columns: 120, rows: 20 });
  await terminal.sees(/^\d\d:\d\d:\d\d info {2}environment worker is ready \(pid \d+\)\r?$/mu);
  await terminal.close();
});
