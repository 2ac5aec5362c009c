// systemd and supervisord, both real: what they say is asked back, and what falls over a moment later has not
// come up.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Receipt, UndoReceipt } from '../../src/core/receipts.ts';
import { freePort } from '../../src/io/free-port.ts';
import { BACKUP, type Bench, failureOf, type Hands, MIGRATE, permit, raiseBench } from '../support/hands.ts';
import {
  startSupervisord,
  startUserManager,
  type Supervisord,
  supervisorBin,
  type UserManager,
  whyNoSystemd,
} from '../support/service-managers.ts';

let bench: Bench;
beforeAll(async () => void (bench = await raiseBench()));
afterAll(() => bench?.stop());

const steps =
  BACKUP + MIGRATE + '  - { step: switch, switch: release }\n  - { step: restart, restart: [web] }\n';
const MODULES = join(import.meta.dirname, '../../node_modules');
/** The app's environment, as an operator writes it into a unit. */
const variables = (hands: Hands) => ({
  PORT: String(hands.port),
  DATABASE_URL: hands.url,
  ORDERS_MODULES: MODULES,
});
const open = (service: string, port?: number) =>
  permit(bench, { steps, services: `[{ name: web, ${service} }]`, ...(port !== undefined && { port }) });
const pids = (receipt: Receipt | UndoReceipt) => /pid (\d+|none) → (\d+)/u.exec(receipt.summary)?.slice(1);

describe.skipIf(whyNoSystemd())(
  `a systemd unit of the user's manager${whyNoSystemd() ? ` (skipped: ${whyNoSystemd()})` : ''}`,
  () => {
    let manager: UserManager;
    beforeAll(async () => void (manager = await startUserManager()));
    afterAll(() => manager?.stop());
    const serving = (hands: Hands, more = '') =>
      `[Service]\nWorkingDirectory=${hands.root}/current\nExecStart=${process.execPath} server.mjs\n${more}${Object.entries(
        variables(hands),
      )
        .map(([name, value]) => `Environment=${name}=${value}\n`)
        .join('')}`;

    test(
      'is restarted, serves the new build under another pid, and is down again where nothing served ' +
        'before',
      async () => {
        const hands = await open(
          'systemd: { unit: orders-web, manager: user, ready: /health, build: /build }',
        );
        await manager.unit('orders-web', serving(hands));
        await hands.run('switch');
        const first = await hands.run('restart');
        expect(first.summary).toContain(`serving build ${hands.list.commit.slice(0, 12)}`);
        const second = await hands.run('restart', { attempt: 2 });
        expect(pids(second)?.[0]).toBe(pids(first)?.[1]);
        expect(pids(second)?.[1]).toBe(manager.show('orders-web', 'MainPID'));
        await hands.undo('switch');
        expect(await hands.undo('restart')).toMatchObject({
          done: true,
          summary: 'web: orders-web is inactive',
        });
      },
    );

    test('is reloaded: the same process goes on', async () => {
      const hands = await open('systemd: { unit: orders-proxy, manager: user, action: reload }');
      await manager.unit(
        'orders-proxy',
        '[Service]\nExecStart=/bin/bash -c "trap : HUP; while :; do sleep 1 & wait; ' +
          'done"\nExecReload=/bin/kill -HUP $MAINPID\n',
      );
      await hands.run('switch');
      expect(await failureOf(hands.run('restart'))).toMatchObject({
        code: 'SERVICE_FAILED',
        message: expect.stringContaining('not active'),
      });
      const started = await open('systemd: { unit: orders-proxy, manager: user }');
      await started.run('switch');
      await started.run('restart');
      const pid = manager.show('orders-proxy', 'MainPID');
      expect(await hands.run('restart', { attempt: 2 })).toMatchObject({
        verdict: 'pass',
        summary: 'web: orders-proxy reloaded',
      });
      expect(manager.show('orders-proxy', 'MainPID')).toBe(pid);
    });

    test.each([
      ['a unit that nobody knows', 'orders-nobody', null, 'not found'],
      [
        'a unit that falls over at once, though systemctl restart has said 0',
        'orders-falls',
        '[Service]\nExecStart=/bin/false\n',
        'exit-code',
      ],
      [
        'a unit that falls over half a second later',
        'orders-later',
        '[Service]\nExecStart=/bin/bash -c "sleep 0.5; exit 7"\n',
        'exit-code',
      ],
    ])('%s is named', async (_, unit, text, why) => {
      const hands = await open(`systemd: { unit: ${unit}, manager: user }`);
      if (text) await manager.unit(unit, text);
      await hands.run('switch');
      const failure = await failureOf(hands.run('restart'));
      expect(failure).toMatchObject({ code: 'SERVICE_FAILED' });
      expect(failure.message).toContain(unit);
      expect(failure.message).toContain(why);
    });
  },
);

const bin = await supervisorBin();
describe.skipIf(bin === null)(
  `a program of supervisord${bin === null ? ' (skipped: Python could not install it)' : ''}`,
  () => {
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
      const section = (name: string, command: string, more = '') =>
        `[program:${name}]\ncommand=${command}\nautostart=false\n${more}\n`;
      daemon = await startSupervisord(
        bin!,
        section(
          'orders',
          `${process.execPath} server.mjs`,
          `directory=${hands.root}/current\nenvironment=${environment}`,
        ) +
          section('falls', '/bin/false', 'startretries=1') +
          section('later', '/bin/bash -c "sleep 2; exit 7"', 'startsecs=1\nautorestart=false'),
      );
    });
    afterAll(async () => {
      await daemon?.stop();
      process.env['PATH'] = path;
    });
    const withProgram = async (program: string, more = '') =>
      permit(bench, {
        steps,
        port: hands.port,
        services: `[{ name: web, supervisor: { program: ${program}, config: ${daemon.config}${more} } }]`,
      });

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
      ['one that falls over after supervisord has called it RUNNING', 'later', 'is EXITED'],
    ])('%s is named', async (_, program, why) => {
      const mine = await withProgram(program);
      await mine.run('switch');
      const failure = await failureOf(mine.run('restart'));
      expect(failure).toMatchObject({ code: 'SERVICE_FAILED', message: expect.stringContaining(why) });
    });
  },
);

// No container engine runs on every machine that tests: \`docker\` is a stand-in here, which keeps one
// process for a container.
describe('a service of Docker Compose (its docker is a stand-in)', () => {
  const STAND_IN = (root: string) =>
    `#!/bin/bash
shift 3; verb=$1; box="${root}/box"; mkdir -p "$box"; echo "$verb $*" >> "$box/asked"
up() { [ -f "$box/pid" ] && kill -0 "$(cat "$box/pid")" 2>/dev/null; }
case $verb in
  up) up && kill "$(cat "$box/pid")"; [ -f "$box/refuses" ] && { echo "pull access denied" >&2; exit 18; }
      (cd "${root}/current" && . "$box/env" && exec setsid "${process.execPath}" $(cat "$box/program")) >"$box/log" 2>&1 </dev/null &
      echo $! > "$box/pid"; date +%s%N > "$box/id" ;;
  stop) up && kill "$(cat "$box/pid")"; while up; do sleep 0.05; done ;;
  ps) [ -f "$box/id" ] && printf '{"ID":"%s","State":"%s"}\\n' "$(cat "$box/id")" "$(up && echo running || echo exited)" ;;
  logs) cat "$box/log" ;;
esac
`.replaceAll('\\\\n', '\\n');
  const before = process.env['PATH'];
  afterAll(() => void (process.env['PATH'] = before));
  async function contained(program = 'server.mjs'): Promise<Hands> {
    const hands = await open(
      'compose: { file: docker-compose.yml, service: web, ready: /health, build: /build }',
      await freePort(),
    );
    await mkdir(join(hands.root, 'box'), { recursive: true });
    await mkdir(join(hands.root, 'bin'));
    await writeFile(join(hands.root, 'bin/docker'), STAND_IN(hands.root), { mode: 0o755 });
    await writeFile(join(hands.root, 'box/program'), program);
    const exported = Object.entries(variables(hands)).map(([name, value]) => `export ${name}='${value}'\n`);
    await writeFile(join(hands.root, 'box/env'), exported.join(''));
    process.env['PATH'] = `${join(hands.root, 'bin')}:${before}`;
    await hands.run('switch');
    return hands;
  }

  test(
    'S0-41, T-27: its container is made anew, serves the new build, and is down where nothing served ' +
      'before',
    async () => {
      const hands = await contained();
      const first = await hands.run('restart');
      expect(first.summary).toMatch(
        new RegExp(
          `^web: web: container none → \\d{12}, serving build ${hands.list.commit.slice(0, 12)}$`,
          'u',
        ),
      );
      const second = await hands.run('restart', { attempt: 2 });
      expect(second.summary).toContain(`container ${first.summary.match(/→ (\d+)/u)?.[1]} → `);
      expect(await readFile(join(hands.root, 'box/asked'), 'utf8')).toContain(
        'up up --detach --force-recreate --no-deps web',
      );
      await hands.undo('switch');
      expect(await hands.undo('restart')).toMatchObject({ done: true, summary: 'web: web is exited' });
    },
  );

  test('one that cannot be made, or falls over, is named with its last words', async () => {
    const hands = await contained();
    await writeFile(join(hands.root, 'box/refuses'), '');
    expect(await failureOf(hands.run('restart'))).toMatchObject({
      code: 'SERVICE_FAILED',
      message: expect.stringContaining('pull access denied'),
    });
    const falls = await contained('no-such-file.mjs');
    const failure = await failureOf(falls.run('restart'));
    expect(failure.message).toContain('(web) is exited');
    expect(String(failure.details)).toContain('no-such-file.mjs');
  });
});
