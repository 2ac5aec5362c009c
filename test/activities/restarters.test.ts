// systemd and supervisord, both real: what they say is asked back, and what falls over a moment later has not come up.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Receipt, UndoReceipt } from '../../src/core/receipts.ts';
import { freePort } from '../../src/io/private-postgres.ts';
import { BACKUP, type Bench, failureOf, type Hands, MIGRATE, permit, raiseBench } from '../support/hands.ts';
import { startSupervisord, startUserManager, type Supervisord, supervisorBin, type UserManager, whyNoSystemd } from '../support/service-managers.ts';

let bench: Bench;
beforeAll(async () => void (bench = await raiseBench()));
afterAll(() => bench?.stop());

const steps = BACKUP + MIGRATE + '  - { step: switch, switch: release }\n  - { step: restart, restart: [web] }\n';
const MODULES = join(import.meta.dirname, '../../node_modules');
/** The app's environment, as an operator writes it into a unit. */
const variables = (hands: Hands) => ({ PORT: String(hands.port), DATABASE_URL: hands.url, ORDERS_MODULES: MODULES });
const open = (service: string, port?: number) =>
  permit(bench, { steps, services: `[{ name: web, ${service} }]`, ...(port !== undefined && { port }) });
const pids = (receipt: Receipt | UndoReceipt) => /pid (\d+|none) → (\d+)/u.exec(receipt.summary)?.slice(1);

describe.skipIf(whyNoSystemd())(`a systemd unit of the user's manager${whyNoSystemd() ? ` (skipped: ${whyNoSystemd()})` : ''}`, () => {
  let manager: UserManager;
  beforeAll(async () => void (manager = await startUserManager()));
  afterAll(() => manager?.stop());
  const serving = (hands: Hands, more = '') =>
    `[Service]\nWorkingDirectory=${hands.root}/current\nExecStart=${process.execPath} server.mjs\n${more}${Object.entries(variables(hands))
      .map(([name, value]) => `Environment=${name}=${value}\n`)
      .join('')}`;

  test('is restarted, serves the new build under another pid, and is down again where nothing served before', async () => {
    const hands = await open('systemd: { unit: orders-web, manager: user, ready: /health, build: /build }');
    await manager.unit('orders-web', serving(hands));
    await hands.run('switch');
    const first = await hands.run('restart');
    expect(first.summary).toContain(`serving build ${hands.list.commit.slice(0, 12)}`);
    const second = await hands.run('restart', { attempt: 2 });
    expect(pids(second)?.[0]).toBe(pids(first)?.[1]);
    expect(pids(second)?.[1]).toBe(manager.show('orders-web', 'MainPID'));
    await hands.undo('switch');
    expect(await hands.undo('restart')).toMatchObject({ done: true, summary: 'web: orders-web is inactive' });
  });

  test('is reloaded: the same process goes on', async () => {
    const hands = await open('systemd: { unit: orders-proxy, manager: user, action: reload }');
    await manager.unit(
      'orders-proxy',
      '[Service]\nExecStart=/bin/bash -c "trap : HUP; while :; do sleep 1 & wait; done"\nExecReload=/bin/kill -HUP $MAINPID\n',
    );
    await hands.run('switch');
    expect(await failureOf(hands.run('restart'))).toMatchObject({ code: 'SERVICE_FAILED', message: expect.stringContaining('not active') });
    const started = await open('systemd: { unit: orders-proxy, manager: user }');
    await started.run('switch');
    await started.run('restart');
    const pid = manager.show('orders-proxy', 'MainPID');
    expect(await hands.run('restart', { attempt: 2 })).toMatchObject({ verdict: 'pass', summary: 'web: orders-proxy reloaded' });
    expect(manager.show('orders-proxy', 'MainPID')).toBe(pid);
  });

  test.each([
    ['a unit that nobody knows', 'orders-nobody', null, 'not found'],
    ['a unit that falls over at once, though systemctl restart has said 0', 'orders-falls', '[Service]\nExecStart=/bin/false\n', 'exit-code'],
    ['a unit that falls over half a second later', 'orders-later', '[Service]\nExecStart=/bin/bash -c "sleep 0.5; exit 7"\n', 'exit-code'],
  ])('%s is named', async (_, unit, text, why) => {
    const hands = await open(`systemd: { unit: ${unit}, manager: user }`);
    if (text) await manager.unit(unit, text);
    await hands.run('switch');
    const failure = await failureOf(hands.run('restart'));
    expect(failure).toMatchObject({ code: 'SERVICE_FAILED' });
    expect(failure.message).toContain(unit);
    expect(failure.message).toContain(why);
  });
});

const bin = supervisorBin();
describe.skipIf(bin === null)(`a program of supervisord${bin === null ? ' (skipped: Python could not install it)' : ''}`, () => {
  let hands: Hands;
  let daemon: Supervisord;
  let path: string | undefined;
  beforeAll(async () => {
    path = process.env['PATH'];
    process.env['PATH'] = `${bin}:${path}`;
    const port = await freePort();
    hands = await open('supervisor: { program: orders, config: later }', port);
    const environment = Object.entries(variables(hands))
      .map(([name, value]) => `${name}="${value.replaceAll('%', '%%')}"`)
      .join(',');
    const section = (name: string, command: string, more = '') => `[program:${name}]\ncommand=${command}\nautostart=false\n${more}\n`;
    daemon = await startSupervisord(
      bin!,
      section('orders', `${process.execPath} server.mjs`, `directory=${hands.root}/current\nenvironment=${environment}`) +
        section('falls', '/bin/false', 'startretries=1') +
        section('later', '/bin/bash -c "sleep 2; exit 7"', 'startsecs=1\nautorestart=false'),
    );
  });
  afterAll(async () => {
    await daemon?.stop();
    process.env['PATH'] = path;
  });
  const withProgram = async (program: string, more = '') =>
    permit(bench, { steps, port: hands.port, services: `[{ name: web, supervisor: { program: ${program}, config: ${daemon.config}${more} } }]` });

  test('is restarted under another pid and serves; stopped where nothing served before', async () => {
    const mine = await withProgram('orders', ', ready: /health, build: /build');
    await hands.run('switch');
    await mine.run('switch');
    const first = await mine.run('restart');
    expect(first.summary).toContain(`serving build ${mine.list.commit.slice(0, 12)}`);
    const second = await mine.run('restart', { attempt: 2 });
    expect(pids(second)?.[0]).toBe(pids(first)?.[1]);
    await mine.undo('switch');
    expect(await mine.undo('restart')).toMatchObject({ done: true, summary: 'web: orders is STOPPED' });
  });

  test.each([
    ['a program that nobody knows', 'nobody', 'no such process'],
    ['one that falls over at once', 'falls', 'falls'],
    ['one that falls over after supervisord has called it RUNNING', 'later', 'later is EXITED'],
  ])('%s is named', async (_, program, why) => {
    const mine = await withProgram(program);
    await mine.run('switch');
    const failure = await failureOf(mine.run('restart'));
    expect(failure).toMatchObject({ code: 'SERVICE_FAILED', message: expect.stringContaining(why) });
  });
});
