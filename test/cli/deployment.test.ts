// The commands on a real server with real workers: started, decided on, watched, undone, recovered; by exit
// codes and words.
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renderStatus } from '../../src/cli/render/status.ts';
import { openStatus } from '../../src/client/status.ts';
import { deploymentWorkflowId, rolloutWorkflowId } from '../../src/core/ids.ts';
import type { Signed } from '../../src/core/messages.ts';
import { query } from '../support/stage.ts';
import { gatedPlan, type Play, raisePlay } from './play.ts';

const ENVIRONMENT = 'staging';
let play: Play;
let plan: string;

beforeAll(async () => {
  play = await raisePlay(ENVIRONMENT);
  plan = await play.writePlan('soakgate.yaml', gatedPlan(ENVIRONMENT));
}, 120_000);
afterAll(() => play?.stop());

const startAs = (name: string, pace: string, ...more: string[]) =>
  play.soakgate([
    'start',
    plan,
    '--as',
    'ann',
    '--repository',
    play.stage.repository,
    '--name',
    name,
    '--pace',
    pace,
    ...more,
  ]);

/**
 * Waits for this in the status; asked of the server directly, because a process for each look costs more than
 * the wait.
 */
async function until(name: string, wanted: RegExp): Promise<string> {
  const deadline = Date.now() + 80_000;
  const status = await openStatus(play.stage.connected, name);
  for (;;) {
    const out = renderStatus(await status.read(), { paint: (_, plain) => plain }).join('\n');
    if (wanted.test(out)) return out;
    if (Date.now() > deadline) throw new Error(`${name} never says ${String(wanted)}:\n${out}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Through the gate: an approval by dan and an attestation by lea. */
async function open(name: string): Promise<void> {
  await until(name, /waiting for: the gate/u);
  const answers = await Promise.all([
    play.soakgate(['approve', name, ENVIRONMENT, '--as', 'dan', '--yes']),
    play.soakgate(['attest', name, ENVIRONMENT, 'tried', '--as', 'lea', '--yes']),
  ]);
  expect(answers.map(({ code, out }) => [code, out])).toEqual([
    [0, 'counted, 1 of 1\n'],
    [0, 'attested\n'],
  ]);
}

describe('a deployment that completes', { timeout: 120_000 }, () => {
  const name = 'first';

  test(
    'is printed here and started there; the same again answers with the first, another one is a ' +
      'conflict',
    async () => {
      const printed = await startAs(name, '10m=3s', '--print');
      expect(printed.code).toBe(0);
      await writeFile(join(play.stage.folder, 'start.json'), printed.out);
      const started = await play.soakgate(['start', '--signed', 'start.json']);
      expect([started.code, started.out]).toEqual([0, `${name}\n`]);
      expect(started.err).toContain('http://ui.example.org/namespaces/default/workflows/deployment%2Ffirst/');
      const [again, signedAnew, piped, other] = await Promise.all([
        play.soakgate(['start', '--signed', 'start.json', '-o', 'json']),
        startAs(name, '10m=3s'),
        play.soakgate(['start', '--signed', '-'], { input: printed.out }),
        startAs(name, '10m=4s'),
      ]);
      expect(JSON.parse(again.out)).toMatchObject({ deployment: name, fresh: false, running: true });
      expect([signedAnew.code, signedAnew.out]).toEqual([0, `${name}\n`]);
      expect(signedAnew.err).toContain('already running');
      expect(piped.code).toBe(0);
      expect([other.code, other.out]).toEqual([6, '']);
      expect(other.err).toContain('pace');
    },
  );

  test('waits for its gate: status and list say for whom, exit code 8', async () => {
    const out = await until(
      name,
      /waiting for: the gate of staging: attestation tried by lead; approval by dba/u,
    );
    expect(out).toContain(`next: soakgate attest ${name} ${ENVIRONMENT} tried --as YOU`);
    const { code, out: json } = await play.soakgate(['status', name, '-o', 'json']);
    expect([code, JSON.parse(json).exitCode]).toEqual([8, 8]);
    const { out: rows } = await play.soakgate(['list', '-o', 'json']);
    expect(JSON.parse(rows)).toMatchObject([
      {
        deployment: name,
        service: 'orders',
        phase: 'gate of staging',
        waitingFor: expect.stringContaining('dba'),
      },
    ]);
    expect((await play.soakgate(['list'])).out).toMatch(
      /^deployment +service +phase +health +started +waiting for\nfirst +orders /u,
    );
  });

  test('who may not approve is refused with 7; who does not confirm signs nothing', async () => {
    const [requester, unasked, unknown, elsewhere, forged] = await Promise.all([
      play.soakgate(['approve', name, ENVIRONMENT, '--as', 'ann', '--yes']),
      play.soakgate(['approve', name, ENVIRONMENT, '--as', 'dan']),
      play.soakgate(['attest', name, ENVIRONMENT, 'tired', '--as', 'lea', '--yes']),
      play.soakgate(['approve', name, 'nowhere', '--as', 'dan', '--yes']),
      play.soakgate([
        'approve',
        name,
        ENVIRONMENT,
        '--as',
        'dan',
        '--key',
        play.stage.people.lea.keyFile,
        '--yes',
      ]),
    ]);
    expect([requester.code, unasked.code, unknown.code, elsewhere.code, forged.code]).toEqual([
      7, 2, 2, 2, 7,
    ]);
    expect(requester.err).toContain('ann requested this deployment and cannot approve it');
    expect(unasked.err).toContain('(hash computed on this machine)');
    expect(unknown.err).toContain('it asks for: tried');
    expect(forged.err).toContain('the signature does not match the public key');
  });

  test('a printed approval counts when it is pasted as the update’s one argument', async () => {
    const { code, out } = await play.soakgate([
      'approve',
      name,
      ENVIRONMENT,
      '--as',
      'dan',
      '--yes',
      '--print',
    ]);
    expect(code).toBe(0);
    const signed = JSON.parse(out) as Signed;
    expect(Date.parse(signed.body.expires) - Date.now()).toBeGreaterThan(6.9 * 86_400_000);
    const handle = play.stage.connected.client.workflow.getHandle(deploymentWorkflowId(name));
    expect(await handle.executeUpdate('approve', { args: [signed] })).toEqual({
      accepted: true,
      text: 'counted, 1 of 1',
    });
    expect(
      (
        await play.soakgate([
          'attest',
          name,
          ENVIRONMENT,
          'tried',
          '--as',
          'lea',
          '--yes',
          '--comment',
          'on two phones',
        ])
      ).code,
    ).toBe(0);
  });

  test('is watched to its end: changes on stderr, the last status on stdout, exit code 0', async () => {
    const { code, out, err } = await play.soakgate(['status', name, '--watch', '--timeout', '50s']);
    expect(code).toBe(0);
    expect(out).toMatch(/^first: completed/u);
    expect(out).toMatch(/ {2}✓ pass +switch +0\.\d s/u);
    expect(err).toMatch(/\d\dZ staging, switch: pass/u);
    expect(err).not.toContain('\u001b');
  });

  test('its evidence is shown and verified; a changed file is found', async () => {
    const { code, out } = await play.soakgate(['evidence', name, '-o', 'json']);
    expect(code).toBe(0);
    const { uri, manifest } = JSON.parse(out);
    const control = ['--control', play.stage.control.publicText];
    const valid = await play.soakgate(['evidence', 'verify', uri, ...control]);
    expect([valid.code, valid.out]).toEqual([0, `${uri}: valid, manifest ${manifest}\n`]);
    const summary = await readFile(join(uri, 'SUMMARY.md'), 'utf8');
    expect(summary, 'what was said with it').toContain('tried: The release was tried by hand: on two phones');
    const shown = await play.stage.connected.client.workflow.getHandle(deploymentWorkflowId(name)).describe();
    for (const place of [summary, await shown.staticDetails(), (await play.soakgate(['plan', plan])).out])
      expect(place, 'whom to call').toContain('call dba: dan@example.org');
    const copy = join(play.stage.folder, 'copy');
    await cp(uri, copy, { recursive: true });
    await writeFile(join(copy, 'SUMMARY.md'), `${await readFile(join(copy, 'SUMMARY.md'), 'utf8')}\n`);
    const changed = await play.soakgate(['evidence', 'verify', 'copy', ...control, '-o', 'json']);
    expect(changed.code).toBe(1);
    expect(JSON.parse(changed.out)).toMatchObject({
      state: 'changed',
      problems: [expect.stringContaining('SUMMARY.md')],
    });
  });

  test('takes no more messages: exit code 6; a name that never was is a usage error', async () => {
    const [ended, recovered, never, asked] = await Promise.all([
      play.soakgate(['abort', name, ENVIRONMENT, '--as', 'dan', '--yes']),
      play.soakgate(['recover', name, '--as', 'dan']),
      play.soakgate(['abort', 'never', ENVIRONMENT, '--as', 'dan', '--yes']),
      play.soakgate(['status', 'never']),
    ]);
    expect([ended.code, recovered.code, never.code, asked.code]).toEqual([6, 6, 2, 2]);
    expect(never.err).toContain('soakgate list');
  });
});

test('a rejected deployment ends with 4', { timeout: 120_000 }, async () => {
  await startAs('second', '10m=3s');
  const watched = startAs('second', '10m=3s', '--watch');
  await until('second', /waiting for: the gate/u);
  expect(
    (await play.soakgate(['reject', 'second', ENVIRONMENT, '--as', 'lea', '--reason', 'not today', '--yes']))
      .out,
  ).toBe('rejected\n');
  const { code, err } = await watched;
  expect(code).toBe(4);
  expect(err).toContain('rejected: rejected by lea: not today');
});

test(
  'a soak is paused, read, lengthened, watched for a while, and aborted: 124, 130, then 3',
  { timeout: 180_000 },
  async () => {
    const name = 'third';
    expect((await startAs(name, '10m=5m')).code).toBe(0);
    await open(name);
    await until(name, /staging +soak$/mu);
    const [late, left] = await Promise.all([
      play.soakgate(['status', name, '--watch', '--timeout', '1s', '-o', 'json']),
      play.soakgate(['status', name, '--watch'], { interruptAt: 'staging: soak' }),
    ]);
    expect([late.code, JSON.parse(late.out).exitCode]).toEqual([124, 124]);
    expect(left.code).toBe(130);
    expect(left.err).toContain(`${name} continues`);
    const said: unknown[] = [];
    for (const [verb, ...more] of [['pause'], ['resume'], ['check-now'], ['extend-soak', '1h']])
      said.push((await play.soakgate([verb!, name, ENVIRONMENT, ...more, '--as', 'lea'])).out);
    expect(said).toEqual(['paused before the next step\n', 'resumed\n', 'reading now\n', 'extended\n']);
    const nothing = await play.soakgate(['decide', name, ENVIRONMENT, 'continue', '--as', 'lea']);
    expect([nothing.code, nothing.err]).toEqual([7, expect.stringContaining('nothing is asked now')]);
    const misspelt = await play.soakgate([
      'rollback',
      name,
      ENVIRONMENT,
      '--fallback',
      'new-code',
      '--as',
      'lea',
      '--yes',
    ]);
    expect([misspelt.code, misspelt.err]).toEqual([2, expect.stringContaining('it has: old-code')]);
    expect((await play.soakgate(['abort', name, ENVIRONMENT, '--as', 'lea', '--yes'])).out).toBe(
      'rolling back\n',
    );
    const { code, out } = await play.soakgate(['status', name, '--watch', '--timeout', '40s']);
    expect(code).toBe(3);
    expect(out).toContain('↩ undone');
  },
);

test('what a restore would lose is counted and shown before it is signed', { timeout: 120_000 }, async () => {
  const name = 'losing';
  const text = gatedPlan(ENVIRONMENT)
    .replace('steps:\n', 'steps:\n  - { step: backup, backup: { tool: pg_dump, keep: 1d } }\n')
    .replace(
      'code: rollback }',
      'code: rollback }, restore: { approved: { roles: [dba] }, loses: writes-since-backup }',
    );
  const withBackup = await play.writePlan('with-backup.yaml', text);
  const started = ['--as', 'ann', '--repository', play.stage.repository, '--name', name, '--pace', '10m=5m'];
  expect((await play.soakgate(['start', withBackup, ...started])).code).toBe(0);
  await open(name);
  await until(name, /staging +soak$/mu);
  await query(play.cast.database, "insert into customers (name, email) values ('late', 'late@example.org')");
  const { code, out, err } = await play.soakgate([
    'rollback',
    name,
    ENVIRONMENT,
    '--fallback',
    'restore',
    '--as',
    'dan',
    '--yes',
  ]);
  expect([code, out]).toEqual([0, 'rolling back\n']);
  expect(err).toMatch(/restore would lose 1 row written since the backup of \S+ \(public\.customers 1\)/u);
  await play.soakgate(['status', name, '--watch', '--timeout', '60s']);
});

test('a question is as old as it is: whoever decides for a restore is told what it would lose now', async () => {
  const name = 'deciding';
  const text = gatedPlan(ENVIRONMENT)
    .replace('steps:\n', 'steps:\n  - { step: backup, backup: { tool: pg_dump, keep: 1d } }\n')
    .replace(
      'code: rollback }',
      'code: rollback }, restore: { approved: { roles: [dba] }, loses: writes-since-backup }',
    )
    .replace('select 1]', 'select 1/0]')
    .replace('matrix:\n', 'matrix:\n  - { when: { step: look }, ask: [restore, stop], severity: high }\n');
  const asking = await play.writePlan('asking.yaml', text);
  await play.soakgate([
    'start',
    asking,
    '--as',
    'ann',
    '--repository',
    play.stage.repository,
    '--name',
    name,
  ]);
  await open(name);
  await until(name, /a decision \(restore \| stop\)/u);
  await query(play.cast.database, "insert into customers (name, email) values ('later', 'l@example.org')");
  const { code, err } = await play.soakgate(['decide', name, ENVIRONMENT, 'restore', '--as', 'dan']);
  expect(code).toBe(0);
  expect(err).toMatch(/restore would lose 1 row written since the backup of \S+ \(public\.customers 1\)/u);
  await play.soakgate(['status', name, '--watch', '--timeout', '60s']);
}, 120_000);

test('a terminated deployment is stuck (5) until it is recovered (3)', { timeout: 180_000 }, async () => {
  const name = 'fourth';
  await startAs(name, '10m=5m');
  await open(name);
  await until(name, /staging +soak$/mu);
  const healthy = await play.soakgate(['recover', name, '--as', 'lea']);
  expect(healthy.code).toBe(6);
  const { workflow } = play.stage.connected.client;
  await workflow.getHandle(rolloutWorkflowId('orders', ENVIRONMENT)).terminate('test');
  await workflow.getHandle(deploymentWorkflowId(name)).terminate('test');
  const stuck = await play.soakgate(['status', name]);
  expect(stuck.code).toBe(5);
  expect(stuck.out).toContain(`next: soakgate recover ${name} --as YOU`);
  const { code, out } = await play.soakgate(['recover', name, '--as', 'lea']);
  expect([code, out]).toEqual([3, 'staging: restored\n']);
  const [after, earlier, evidence] = await Promise.all([
    play.soakgate(['status', name]),
    play.soakgate(['status', 'first']),
    play.soakgate(['evidence', name]),
  ]);
  expect([after.code, evidence.code]).toEqual([3, 6]);
  // The id of its rollout has been used by others since.
  expect([earlier.code, earlier.out]).toEqual([0, expect.stringMatching(/ {2}✓ pass +switch/u)]);
});

test(
  'without a control worker the server’s knowledge is shown, and a message waits as a signal (8)',
  { timeout: 180_000 },
  async () => {
    const name = 'fifth';
    await play.cast.control.kill();
    await startAs(name, '10m=3s');
    const [seen, sent] = await Promise.all([
      play.soakgate(['status', name]),
      play.soakgate(['abort', name, ENVIRONMENT, '--as', 'lea', '--yes', '-o', 'json']),
    ]);
    expect([seen.code, seen.out]).toEqual([
      8,
      expect.stringContaining('waiting for: no control worker answers'),
    ]);
    expect([sent.code, JSON.parse(sent.out).outcome]).toEqual([8, 'unknown']);
    await play.cast.control.start();
    const ended = await play.soakgate(['status', name, '--watch', '--timeout', '40s']);
    expect(ended.code).toBe(1);
    expect(ended.out).toContain('aborted by lea');
  },
);

test(
  'a worker is a process of its own: signals reach it, its exit code comes back',
  { timeout: 120_000 },
  async () => {
    const { artifacts, control } = play.stage;
    const [drained, failed] = await Promise.all([
      play.soakgate(['worker', 'control', '--artifacts', artifacts, '--key', control.keyFile], {
        interruptAt: 'worker is ready',
      }),
      play.soakgate(['worker', 'environment', '--file', 'nowhere.yaml'], {
        env: { TEMPORAL_ADDRESS: '127.0.0.1:65533' },
      }),
    ]);
    expect([drained.code, drained.err]).toEqual([0, expect.stringContaining('control worker is ready')]);
    expect([failed.code, failed.err]).toEqual([1, expect.stringContaining('nowhere.yaml')]);
  },
);

test('doctor sees the server, its worker and the keys', { timeout: 60_000 }, async () => {
  const { out } = await play.soakgate(['doctor', '-o', 'json']);
  const parts = (JSON.parse(out) as { part: string; state: string }[])
    .filter(({ state }) => state === 'there')
    .map(({ part }) => part);
  expect(parts).toEqual(
    expect.arrayContaining(['PostgreSQL', 'control worker', 'key ann', 'key dan', 'key lea']),
  );
});
