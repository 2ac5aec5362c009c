// The release and its service on a real machine: checked out, switched, restarted, asked over HTTP, behind
// maintenance, and back.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readFile, readlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stop } from '../../activities/restarters/process.ts';
import type { UndoReceipt } from '../../src/core/receipts.ts';
import { processStartTime } from '../../src/io/command.ts';
import { freePort } from '../../src/io/free-port.ts';
import {
  BACKUP,
  type Bench,
  DATA,
  failureOf,
  type Hands,
  type HandsSpec,
  MIGRATE,
  permit,
  raiseBench,
} from '../support/hands.ts';
import { ranNow } from '../support/programs.ts';

let bench: Bench;
const served: Hands[] = [];
beforeAll(async () => void (bench = await raiseBench()));
afterAll(async () => {
  for (const hands of served) await stop(join(hands.root, 'web.pid'));
  await bench?.stop();
});

const SERVICE = `  - { step: baseline, baseline: { http: { get: /orders, samples: 20 } } }
${BACKUP}${DATA}${MIGRATE}  - { step: switch, switch: release }
  - { step: restart, restart: [web] }
  - { step: health, check: { http: { get: /health, status: 200, json: { /database: ok }, within: 2s } } }
  - { step: flows, flows: flows/orders.yaml }
  - { step: performance, check: { http: { get: /orders, samples: 20, mean: at most 100000% of baseline } } }
  - { step: slower, check: { http: { get: /orders, samples: 20, mean: at most 1% of baseline } } }
`;
async function open(spec: Partial<HandsSpec> = {}): Promise<Hands> {
  const hands = await permit(bench, { steps: SERVICE, ...spec });
  served.push(hands);
  return hands;
}
const pidOf = async (hands: Hands) =>
  Number((await readFile(join(hands.root, 'web.pid'), 'utf8')).split(' ')[0]);
const answers = (port: number) =>
  fetch(`http://127.0.0.1:${port}/health`).then(
    (answer) => answer.status,
    () => null,
  );

test('release → switch → restart → health → flows, and back again', async () => {
  const hands = await open();
  for (const name of ['backup', 'data: fix', 'migrate']) await hands.run(name);
  expect(await readFile(join(hands.checkout, '.soakgate-build'), 'utf8')).toBe(`${hands.list.commit}\n`);
  expect(await hands.run('health')).toMatchObject({
    verdict: 'fail',
    details: [expect.stringContaining('no answer')],
  });
  expect(await hands.run('switch')).toMatchObject({ verdict: 'pass' });
  expect(await readlink(join(hands.root, 'current'))).toBe(`releases/${hands.list.commit}`);
  expect(await hands.run('restart')).toMatchObject({ verdict: 'pass' });
  const pid = await pidOf(hands);
  // A session and a group of its own: it outlives whoever started it.
  expect(
    ranNow('ps', ['-o', 'sid=,pgid=', '-p', String(pid)])
      .trim()
      .split(/\s+/u),
  ).toEqual([String(pid), String(pid)]);
  expect(await hands.run('health')).toMatchObject({ verdict: 'pass' });
  expect(await hands.run('flows')).toMatchObject({ verdict: 'pass' });
  expect(await hands.run('performance'), 'nothing was measured before').toMatchObject({
    verdict: 'inconclusive',
  });
  expect(await hands.run('baseline')).toMatchObject({ verdict: 'pass' });
  expect(await hands.run('performance')).toMatchObject({
    verdict: 'pass',
    details: [expect.stringMatching(/^\/orders: mean [\d.]+ ms, before [\d.]+ ms, 0 failed of 20$/u)],
  });
  expect(await hands.run('slower')).toMatchObject({
    verdict: 'fail',
    details: [expect.stringContaining('wanted at most 1% of baseline')],
  });
  // A second attempt starts it anew, once.
  expect(await hands.run('restart', { attempt: 2 })).toMatchObject({
    verdict: 'pass',
    summary: expect.stringContaining(`pid ${pid} ended`),
  });
  // Nothing served before: down again.
  expect(await hands.undo('switch')).toMatchObject({
    done: true,
    summary: expect.stringContaining('no release served before'),
  });
  expect(await hands.undo('restart')).toMatchObject({ done: true });
  expect(await answers(hands.port)).toBeNull();
  expect(await hands.undo('restart', { attempt: 2 }), 'idempotent').toMatchObject({
    done: true,
    summary: expect.stringContaining('was not running'),
  });
});

test('the release that served before serves again', async () => {
  const hands = await open();
  const before = join(hands.root, 'releases', 'before');
  ranNow('cp', ['-r', hands.checkout, before]);
  await hands.world.permitStore.noteAgain(hands.rollout, 'previous-release', 'before');
  await hands.run('switch');
  expect(await hands.undo('switch')).toMatchObject({ done: true });
  expect(await readlink(join(hands.root, 'current'))).toBe('releases/before');
  expect(await hands.undo('restart')).toMatchObject({ done: true });
  expect(await answers(hands.port)).toBe(200);
  ranNow('rm', ['-r', before]);
  await hands.run('switch');
  expect(await hands.undo('switch')).toMatchObject({
    done: false,
    differences: [expect.stringContaining('releases/before is missing')],
  });
});

describe('processes', () => {
  test('a pid that was given to another process since is left alone', async () => {
    const hands = await open();
    const other: ChildProcess = spawn('sleep', ['60']);
    await writeFile(join(hands.root, 'web.pid'), `${other.pid} 12345\n`);
    await hands.run('switch');
    await hands.run('restart');
    expect(processStartTime(other.pid!)).toBeDefined();
    expect(await pidOf(hands)).not.toBe(other.pid);
    other.kill('SIGKILL');
  });

  test('one that ends right after its start, or never answers, fails with its last words', async () => {
    const dying = await open({
      edit: (checkout) =>
        writeFile(join(checkout, 'server.mjs'), "console.error('no licence'); process.exit(3);\n"),
    });
    await dying.run('switch');
    expect(await failureOf(dying.run('restart'))).toMatchObject({
      code: 'SERVICE_FAILED',
      details: expect.stringContaining('no licence'),
    });
  });

  test('what is handed to the service by reference is in no message, though the service prints it', async () => {
    process.env['SG_TEST_TOKEN'] = 'tok-1f9c';
    process.env['SG_TEST_QUEUE'] = 'amqp://shop:p%40ss-77@queue.example.org/orders';
    const dying = await open({
      serviceEnv: { SHOP_TOKEN: { env: 'SG_TEST_TOKEN' }, QUEUE: { env: 'SG_TEST_QUEUE' } },
      edit: (checkout) =>
        writeFile(
          join(checkout, 'server.mjs'),
          `const { SHOP_TOKEN, QUEUE } = process.env;
          console.error('token', SHOP_TOKEN, 'queue', QUEUE, 'password', decodeURIComponent(new URL(QUEUE).password));
          process.exit(3);`,
        ),
    });
    await dying.run('switch');
    const failure = await failureOf(dying.run('restart'));
    expect(failure.details).toContain('token •••');
    expect(failure.details).toContain('password •••');
    for (const secret of ['tok-1f9c', 'p%40ss-77', 'p@ss-77'])
      expect(JSON.stringify([failure, await dying.log('restart')])).not.toContain(secret);
  });

  test('a file of the plan that is not the reviewed one is refused', async () => {
    const hands = await open();
    await hands.world.permitStore.close(hands.rollout, 'restored');
    const rollout = { ...hands.rollout, deployment: 'changed', hash: 'eeeeeeeeee' };
    const list = {
      ...hands.list,
      files: { 'flows/orders.yaml': 'f'.repeat(64), 'no-such-file': 'f'.repeat(64) },
    };
    await hands.world.permitStore.keepRollout({ rollout, permit: {} as never, list });
    expect(
      await failureOf(
        hands.call('release', { rollout, step: list.steps.find((step) => step.kind === 'release') }),
      ),
    ).toMatchObject({
      code: 'FILE_CHANGED',
      details: expect.stringContaining('flows/orders.yaml is another file'),
    });
  });
});

describe('flows and health', () => {
  const FLOW = 'flows: 1\nask:\n  - { get: /health, expect: { status: 200, json: { /database: gone } } }\n';
  test('an answer that is not as expected is named', async () => {
    const edit = (checkout: string) => writeFile(join(checkout, 'flows/orders.yaml'), FLOW);
    const hands = await open({ edit });
    await hands.run('switch');
    await hands.run('restart');
    expect(await hands.run('flows')).toMatchObject({
      verdict: 'fail',
      details: ['ask: GET /health: /database is "ok", expected "gone"'],
    });
    await writeFile(join(hands.checkout, 'flows/orders.yaml'), 'flows: none');
    expect(await hands.run('flows')).toMatchObject({
      verdict: 'error',
      summary: expect.stringContaining('flows/orders.yaml: '),
    });
  });

  test('a baseline with failed answers is no measure', async () => {
    const hands = await open();
    await hands.run('switch');
    await hands.run('restart');
    await hands.sql('alter table orders rename to orders_gone');
    expect(await hands.run('baseline')).toMatchObject({ verdict: 'inconclusive' });
  });
});

describe('maintenance', () => {
  async function behind(health = '/health'): Promise<Hands> {
    const [port, inside] = [await freePort(), await freePort()];
    const hands = await open({
      port,
      environment: `maintenance: { flag-file: maintenance.flag, answers: 503, inside: "http://127.0.0.1:${inside}", health: ${health} }
    rollback: { close: true, stop: [web] }`,
      steps: `  - { step: switch, switch: release }
  - { step: restart, restart: [web] }
  - { step: close, maintenance: enter }
  - { step: health, check: { http: { get: /health, status: 200, within: 2s } } }
  - { step: open, maintenance: leave }
${BACKUP}${DATA}${MIGRATE}`,
    });
    Object.assign(hands.world.settings.services['orders']!.env, {
      INSIDE_PORT: String(inside),
      MAINTENANCE_FLAG: join(hands.root, 'maintenance.flag'),
    });
    await mkdir(hands.root, { recursive: true });
    await hands.run('switch');
    await hands.run('restart');
    return hands;
  }

  test('closed outside, asked inside, left through a look; its undo too, and twice', async () => {
    const hands = await behind();
    expect(await hands.run('close')).toMatchObject({ verdict: 'pass', summary: 'the site answers 503' });
    expect(await answers(hands.port)).toBe(503);
    expect(await hands.run('health'), 'asks inside').toMatchObject({ verdict: 'pass' });
    expect(await hands.run('open')).toMatchObject({ verdict: 'pass' });
    expect(await answers(hands.port)).toBe(200);
    await hands.run('close');
    expect(await hands.undo('close')).toMatchObject({ done: true, summary: 'the site is open again' });
    expect(await hands.undo('close', { attempt: 2 })).toMatchObject({
      done: true,
      summary: 'maintenance was not on',
    });
  });

  test(
    'S0-67, S1-44, S1-45: a rollback closes the site, then stops the service; both are as often done ' +
      'as asked, and opened behind it',
    async () => {
      const hands = await behind();
      const shut = (undo: string) =>
        hands.call<UndoReceipt>(undo, {
          rollout: hands.rollout,
          step: hands.step('migrate'),
          args: { services: ['web'] },
        });
      const pid = await pidOf(hands);
      for (const _ of ['once', 'again']) {
        expect(await shut('closeSite')).toMatchObject({ done: true, differences: [] });
        expect(await answers(hands.port)).toBe(_ === 'once' ? 503 : null);
        expect(await shut('stopServices')).toMatchObject({
          done: true,
          summary: _ === 'once' ? `web: pid ${pid} ended` : 'web: was not running',
        });
      }
      expect(processStartTime(pid)).toBeUndefined();
      expect(await answers(hands.port), 'its port is closed').toBeNull();
      expect(await shut('startServices')).toMatchObject({
        done: true,
        summary: expect.stringContaining('up'),
      });
      expect(await answers(hands.port), 'still closed').toBe(503);
      expect(await shut('endMaintenance')).toMatchObject({ done: true });
      expect(await answers(hands.port)).toBe(200);
    },
  );

  test(
    'nothing is shut at a step that takes nothing of the database back, nor where the plan does not ' +
      'say so',
    async () => {
      const hands = await behind();
      const ask = (of: Hands, step: string) =>
        failureOf(of.call('closeSite', { rollout: of.rollout, step: of.step(step), args: {} }));
      expect(await ask(hands, 'restart')).toMatchObject({ code: 'NOT_PERMITTED' });
      expect(await ask(await open(), 'migrate')).toMatchObject({ code: 'NOT_PERMITTED' });
    },
  );

  test('well is what the plan says: another path that answers 404 keeps it closed', async () => {
    const hands = await behind('/not-there');
    await hands.run('close');
    expect(await hands.undo('close')).toMatchObject({
      done: false,
      differences: [expect.stringMatching(/maintenance stays on: http:.*\/not-there answers 404/u)],
    });
    expect(await answers(hands.port)).toBe(503);
  });

  test('a site that is not well stays behind its flag, and the command is named', async () => {
    const hands = await behind();
    await hands.run('close');
    await stop(join(hands.root, 'web.pid'));
    expect(await hands.undo('close')).toMatchObject({
      done: false,
      differences: [expect.stringMatching(/maintenance stays on: .*remove .*maintenance\.flag/u)],
    });
    expect(await readFile(join(hands.root, 'maintenance.flag'), 'utf8')).toContain(hands.rollout.deployment);
  });
});

describe('the process that answers is the one that was started', () => {
  const held: ChildProcess[] = [];
  afterAll(() => held.forEach((child) => child.kill('SIGKILL')));

  /** An old process that serves at the port and takes no notice of anybody. */
  async function oldProcess(port: number): Promise<number> {
    const serve = `require('node:http').createServer((_, answer) => answer.end('{"build":"old"}')).listen(${port}, '127.0.0.1')`;
    const child = spawn(process.execPath, ['-e', serve], { stdio: 'ignore', detached: true });
    held.push(child);
    await expect.poll(() => answers(port), { timeout: 10_000 }).toBe(200);
    return child.pid!;
  }
  /** It waits for the port as gunicorn does, and lives on without it. */
  const patient = `const server = require('node:http').createServer((_, answer) => answer.end('new'));
    const listen = () => server.listen(process.env.PORT, '127.0.0.1');
    server.on('error', () => setTimeout(listen, 300)); listen();`;
  const services = (port: number) =>
    `[{ name: web, process: { command: [node, -e, ${JSON.stringify(patient)}], pid-file: web.pid, ready: /health } }]`.replace(
      'process.env.PORT',
      String(port),
    );

  test('a plain pid file, as servers write it themselves: the old process is ended', async () => {
    const port = await freePort();
    const hands = await open({ port, services: services(port) });
    const old = await oldProcess(port);
    await writeFile(join(hands.root, 'web.pid'), `${old}\n`);
    await hands.run('switch');
    expect(await hands.run('restart')).toMatchObject({
      verdict: 'pass',
      summary: expect.stringContaining(`pid ${old} ended`),
    });
    expect(await (await fetch(`http://127.0.0.1:${port}/health`)).text()).toBe('new');
  });

  test('a plain pid file whose number another process has since: that one is left alone', async () => {
    const port = await freePort();
    const hands = await open({ port, services: services(port) });
    await writeFile(join(hands.root, 'web.pid'), '1\n');
    const bystander = spawn('sleep', ['60'], { stdio: 'ignore' });
    held.push(bystander);
    await writeFile(join(hands.root, 'web.pid'), `${bystander.pid}\n`);
    await utimes(join(hands.root, 'web.pid'), new Date(0), new Date(0));
    await hands.run('switch');
    await hands.run('restart');
    expect(processStartTime(bystander.pid!)).toBeDefined();
  });

  test('an old process that keeps the port: the restart fails and says so', { timeout: 60_000 }, async () => {
    const port = await freePort();
    const hands = await open({ port, services: services(port) });
    await oldProcess(port);
    await hands.run('switch');
    expect(await failureOf(hands.run('restart'))).toMatchObject({
      code: 'SERVICE_FAILED',
      message: expect.stringMatching(
        /web answers \/health, but pid \d+ listens nowhere, so another process answers/u,
      ),
    });
  });
});
