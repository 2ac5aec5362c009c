// Notifiers on a real server and real receivers: each question once, also after a restart, and again until it
// is delivered.
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { notify } from '../../activities/notifiers/index.ts';
import type { NotifierEntry } from '../../src/core/plan/notifiers/index.ts';
import type { EnvironmentSettings } from '../../src/io/settings.ts';
import { openLog } from '../../src/io/log.ts';
import { notifyWhatWaits } from '../../worker/notifying.ts';
import { storyPlan } from '../support/story-plan.ts';
import { devServer, openTheatre, type Theatre } from '../support/theatre.ts';

let theatre: Theatre;
let folder: string;
const receiver = { status: 200, bodies: [] as Record<string, unknown>[], server: null as Server | null };
beforeAll(async () => {
  if (!devServer) return;
  theatre = await openTheatre({ real: true });
  folder = await mkdtemp(join(tmpdir(), 'sg-notify-'));
  receiver.server = createServer((request, response) => {
    let text = '';
    request.on('data', (part) => (text += part));
    request.on('end', () => {
      receiver.bodies.push(JSON.parse(text) as Record<string, unknown>);
      response.writeHead(receiver.status).end();
    });
  });
  await new Promise<void>((resolve) => receiver.server!.listen(0, '127.0.0.1', resolve));
  const { port } = receiver.server.address() as AddressInfo;
  process.env['NOTIFY_URL'] = `http://127.0.0.1:${port}/T0K3N`;
});
afterAll(async () => {
  receiver.server?.close();
  await theatre?.close();
  if (folder) await rm(folder, { recursive: true });
});

/** A worker's life: until `ends`, and a moment more, in which nothing else may come. */
async function whileWatching(settings: EnvironmentSettings, ends: () => Promise<boolean>): Promise<void> {
  const { nativeConnection: connection } = theatre.env;
  const over = new AbortController();
  const log = openLog({ level: 'error' });
  const watching = notifyWhatWaits({ connection, namespace: 'default' }, { settings }, log, over.signal, 50);
  const deadline = Date.now() + 30_000;
  while (!(await ends()) && Date.now() < deadline) await new Promise((wake) => setTimeout(wake, 50));
  await new Promise((wake) => setTimeout(wake, 400));
  over.abort();
  await watching;
}

const NOTICE = { deployment: 'd', environment: 'e', kind: 'gate', text: 't', next: null };
const because = (entry: NotifierEntry) => notify(entry, NOTICE).catch((error: Error) => error.message);

describe('why a notice was not delivered', () => {
  const at = (url: string) => {
    process.env['WHERE'] = url;
    return because({ webhook: { url: { env: 'WHERE' } } });
  };
  test('a webhook: in words that hold no part of its address', async () => {
    const server = createServer((_, response) => response.writeHead(302, { location: '/T0K3N' }).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const redirected = await at(`http://127.0.0.1:${port}/T0K3N`);
    server.close();
    const said = [redirected, await at(`http://127.0.0.1:${port}/T0K3N`), await at('no address T0K3N')];
    expect(said).toEqual([
      'the webhook redirects to another address, which is not followed',
      'the webhook cannot be reached (ECONNREFUSED)',
      'the webhook cannot be reached (ERR_INVALID_URL)',
    ]);
  });

  test('a program: by its exit code, whatever its children still hold', async () => {
    const shell = (text: string) => because({ command: { argv: ['sh', '-c', text] } });
    const started = performance.now();
    expect(await shell('sleep 20 & exit 0')).toBeUndefined();
    expect(performance.now() - started).toBeLessThan(15_000);
    expect(await shell('exit 3')).toBe('sh ended with 3');
    expect(await because({ command: { argv: ['/not/there'] } })).toMatch(/^\/not\/there cannot be started/u);
  });
});

describe.runIf(devServer)('notifiers', () => {
  test(
    'a gate that waits is reported once by each, after a restart no more, and anew when it is asked ' +
      'anew',
    async () => {
      const program = join(folder, 'page');
      const pages = join(folder, 'pages');
      await writeFile(program, `#!/bin/sh\ncat >> ${pages}; echo >> ${pages}\n`);
      await chmod(program, 0o755);
      const settings = {
        environment: 'production',
        permitStore: join(folder, 'permit-store'),
        notifiers: [{ webhook: { url: { env: 'NOTIFY_URL' } } }, { command: { argv: [program] } }],
      } as unknown as EnvironmentSettings;
      const run = await theatre.run(storyPlan({ soak: 'for: 2d, every: 1d, gap: at most 1d' }));
      await run.until('the gate waits', ({ waiting }) =>
        waiting.some((one) => one.kind === 'gate' && one.missing[0]?.kind === 'approval'),
      );
      receiver.status = 503;
      await whileWatching(settings, async () => receiver.bodies.length > 2);
      expect(receiver.bodies.length, 'again until it is delivered').toBeGreaterThan(2);
      const paged = async () => (await readFile(pages, 'utf8')).split('\n').filter(Boolean);
      expect(await paged(), 'the other one is not held up, nor told twice').toHaveLength(1);
      receiver.status = 200;
      const before = receiver.bodies.length;
      await whileWatching(settings, async () => receiver.bodies.length > before);
      expect(receiver.bodies).toHaveLength(before + 1);
      await whileWatching(settings, async () => receiver.bodies.length >= before + 1);
      expect(receiver.bodies, 'a worker that was restarted').toHaveLength(before + 1);
      expect(receiver.bodies.at(-1)).toEqual(JSON.parse((await paged())[0]!));
      expect(receiver.bodies.at(-1)).toEqual({
        deployment: run.name,
        environment: 'production',
        kind: 'gate',
        text: `${run.name} waits for the gate of production: approval by lead and dba`,
        next: `soakgate approve ${run.name} production`,
      });
      expect(await run.send('reject', 'lea', 'production', { reason: 'not today' })).toMatchObject({
        accepted: true,
      });
      await run.result();
      const ledger = async () => readFile(join(folder, 'permit-store/notified.json'), 'utf8');
      await whileWatching(settings, async () => (await ledger()) === '[]');
      expect(await ledger()).toBe('[]');
      expect(receiver.bodies, 'what has ended waits for nobody').toHaveLength(before + 1);
    },
  );
});
