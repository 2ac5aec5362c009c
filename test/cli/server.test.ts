// Commands through a server say and end as they do with Temporal itself; and what no server can do says so.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signedStart } from '../api/deployments.ts';
import { ask, raiseServer, type Server } from '../api/http.ts';
import { call, type Called } from './call.ts';
import { gatedPlan, type Play, raisePlay } from './play.ts';

const ENVIRONMENT = 'staging';
let play: Play;
let plan: string;
let server: Server;

beforeAll(async () => {
  play = await raisePlay(ENVIRONMENT);
  plan = await play.writePlan('soakgate.yaml', gatedPlan(ENVIRONMENT));
  server = await raiseServer({
    TEMPORAL_ADDRESS: play.stage.server.address,
    SOAKGATE_UI: 'http://ui.example.org',
  });
}, 120_000);
afterAll(async () => {
  await server?.end();
  // Killed, because draining takes ten seconds.
  await Promise.all([play?.cast.control.kill(), play?.cast.worker.kill()]);
  await play?.stop();
}, 60_000);

type Way = (args: readonly string[]) => Promise<Called>;

/** What is another's with every deployment: its name, times, hashes, ids. */
const without = (name: string, { code, out, err }: Called): Called => {
  const clean = (text: string) =>
    text
      .replaceAll(name, 'NAME')
      .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z?/gu, 'TIME')
      .replaceAll(/\b\d\d:\d\d:\d\dZ/gu, 'TIME')
      .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}/gu, 'ID')
      .replaceAll(/\b[0-9a-f]{64}\b/gu, 'HASH')
      .replaceAll(/-[0-9a-f]{20}\.json\b/gu, '-NONCE.json')
      .replaceAll(/ +\d+\.\d s/gu, ' TOOK')
      .replaceAll(/("tookMs": )\d+/gu, '$1TOOK')
      // They stand in the order in which they came.
      .replaceAll(/^ *(?:refused .*|\w+ by \w+ for [\w-]+: refused: .*)\n/gmu, '')
      .replaceAll(/([Mm]anifest"?:? ?)"?\w+/gu, '$1HASH');
  return { code, out: clean(out), err: clean(err) };
};

/** One deployment's life at its gate, in commands. */
async function live(name: string, way: Way): Promise<readonly Called[]> {
  const start = (pace: string, ...more: readonly string[]) =>
    way([
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
  const on = (verb: string, ...more: readonly string[]) => way([verb, name, ENVIRONMENT, ...more]);
  const said = [await start('10m=3s', '-o', 'json')];
  await expect
    .poll(
      async () => (await ask(server, 'GET', `/v1/deployments/${name}/gate-report/${ENVIRONMENT}`)).status,
      { timeout: 40_000 },
    )
    .toBe(200);
  said.push(
    ...(await Promise.all([
      start('10m=3s'),
      start('10m=4s'),
      way(['status', name]),
      way(['status', name, '-o', 'json']),
    ])),
  );
  said.push(
    ...(await Promise.all([
      on('approve', '--as', 'ann', '--yes'),
      on('approve', '--as', 'dan'),
      way(['approve', name, 'nowhere', '--as', 'dan', '--yes']),
      on('attest', 'tired', '--as', 'lea', '--yes'),
      on('rollback', '--fallback', 'none', '--as', 'lea', '--yes'),
      on('decide', 'continue', '--as', 'lea', '-o', 'json'),
      ...(['pause', 'resume', 'check-now'] as const).map((verb) => on(verb, '--as', 'lea')),
      on('extend-soak', '1h', '--as', 'lea'),
      way(['start', '--signed', 'forged.json']),
      way(['evidence', name]),
      way(['abort', `${name}-never`, ENVIRONMENT, '--as', 'dan', '--yes']),
      way(['status', `${name}-never`]),
    ])),
  );
  said.push(await on('approve', '--as', 'dan', '--yes'));
  const watched = way(['status', name, '--watch', '--timeout', '30s']);
  said.push(await on('reject', '--as', 'lea', '--reason', 'not today', '--yes'));
  said.push({ ...(await watched), err: '' });
  said.push(
    ...(await Promise.all([
      on('abort', '--as', 'dan', '--yes'),
      way(['evidence', name]),
      way(['status', name, '--watch']),
    ])),
  );
  return said.map((called) => without(name, called));
}

test(
  'a whole deployment says and ends the same through the server as without it',
  { timeout: 180_000 },
  async () => {
    const itself: Way = (args) => play.soakgate(args);
    // A Temporal address that leads nowhere: whatever reaches it has gone through the server.
    const through: Way = (args) =>
      play.soakgate(args, { env: { TEMPORAL_ADDRESS: '127.0.0.1:1', SOAKGATE_SERVER: server.url } });
    await play.writePlan('forged.json', JSON.stringify(signedStart({ plan: 'b'.repeat(64) })));
    const [one, other] = await Promise.all([live('itself', itself), live('through', through)]);
    expect(other).toEqual(one);
    expect(one.map(({ code }) => code)).toEqual([
      0, 0, 6, 8, 8, 7, 2, 2, 2, 2, 7, 7, 7, 7, 7, 2, 8, 2, 2, 0, 0, 4, 6, 0, 4,
    ]);
    const list = async (way: Way, ...more: readonly string[]) =>
      (await way(['list', '-o', 'json', ...more])).out;
    expect(JSON.parse(await list(through))).toEqual(JSON.parse(await list(itself)));
    expect(JSON.parse(await list(through, '--limit', '1'))).toHaveLength(1);
  },
);

describe('--server', () => {
  const nowhere = { env: { SOAKGATE_SERVER: 'http://127.0.0.1:65533' } };

  test('stands before the command or after it, and wins over the environment', async () => {
    const [before, after] = await Promise.all([
      play.soakgate(['--server', server.url, 'status', 'never'], nowhere),
      play.soakgate(['status', 'never', '--server', server.url], nowhere),
    ]);
    expect([before.code, before.err]).toEqual([2, expect.stringContaining('there is no deployment never')]);
    expect(after).toEqual(before);
  });

  test('that leads nowhere, or to no server of ours, is said', async () => {
    const [gone, wrong, other] = await Promise.all([
      call(['list'], nowhere),
      call(['list', '--server', 'ftp://ann:secret@example.org']),
      call(['list', '--server', `${server.url}/v1/openapi.json`]),
    ]);
    expect([gone.code, gone.err]).toEqual([
      70,
      expect.stringContaining('no Soakgate server answers at http://127.0.0.1:65533 (connect ECONNREFUSED'),
    ]);
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('is not a server address')]);
    expect(wrong.err).not.toContain('secret');
    expect([other.code, other.err]).toEqual([
      2,
      expect.stringContaining('there is no GET /v1/openapi.json/v1/deployments'),
    ]);
  });

  test('is refused by what needs Temporal itself', async () => {
    const [recover, worker, inEnvironment] = await Promise.all([
      call(['recover', 'one', '--as', 'dan', '--server', 'http://127.0.0.1:1']),
      call(['worker', 'environment', '--file', 'x.yaml', '--server', 'http://127.0.0.1:1']),
      play.soakgate(['recover', 'never', '--as', 'dan'], nowhere),
    ]);
    expect([recover.code, recover.err]).toEqual([
      2,
      expect.stringContaining('recover needs a direct connection to Temporal'),
    ]);
    expect([worker.code, worker.err]).toEqual([
      2,
      expect.stringContaining('worker needs a direct connection to Temporal'),
    ]);
    expect([inEnvironment.code, inEnvironment.err]).toEqual([
      2,
      expect.stringContaining('SOAKGATE_SERVER is not used'),
    ]);
    expect(inEnvironment.err).toContain('there is no deployment never');
  });
});

describe('soakgate server', () => {
  test('warns where it is reached from elsewhere, and answers there to every name', async () => {
    const open = await raiseServer({ TEMPORAL_ADDRESS: play.stage.server.address }, ['--host', '0.0.0.0']);
    try {
      const answer = await fetch(`http://127.0.0.1:${new URL(open.url).port}/healthz`);
      expect([answer.status, open.log()]).toEqual([
        200,
        expect.stringMatching(/"level":"warn".*0\.0\.0\.0 is reached from elsewhere/u),
      ]);
    } finally {
      expect(await open.end()).toBe(0);
    }
  });

  test('says that its port is taken', async () => {
    const { code, err } = await call(['server', '--port', new URL(server.url).port]);
    expect([code, err]).toEqual([2, expect.stringContaining('EADDRINUSE')]);
  });
});

test(
  'without a control worker a message waits as a signal, whichever way it came',
  { timeout: 120_000 },
  async () => {
    const name = 'away';
    await play.soakgate([
      'start',
      plan,
      '--as',
      'ann',
      '--repository',
      play.stage.repository,
      '--name',
      name,
      '--server',
      server.url,
    ]);
    await play.cast.control.kill();
    const abort = ['abort', name, ENVIRONMENT, '--as', 'lea', '--yes'] as const;
    const { out } = await play.soakgate([...abort, '--print']);
    const approve = ['approve', name, ENVIRONMENT, '--as', 'dan', '--yes'] as const;
    const through = { env: { SOAKGATE_SERVER: server.url } };
    const [one, other, asked, askedThrough, sent, gateReport, seen] = await Promise.all([
      play.soakgate(abort),
      play.soakgate(abort, through),
      play.soakgate(approve),
      play.soakgate(approve, through),
      ask(server, 'POST', `/v1/deployments/${name}/messages/abort`, { body: out }),
      ask(server, 'GET', `/v1/deployments/${name}/gate-report/${ENVIRONMENT}`),
      ask(server, 'GET', `/v1/deployments/${name}`),
    ]);
    expect([one.code, one.err]).toEqual([8, expect.stringContaining('no worker answered')]);
    expect(other).toEqual(one);
    expect([asked.code, asked.err]).toEqual([
      8,
      expect.stringContaining('no control worker returned the gate report'),
    ]);
    expect(askedThrough).toEqual(asked);
    expect(sent).toMatchObject({
      status: 202,
      body: { unknown: true, text: expect.stringContaining('no worker answered') },
    });
    expect(gateReport).toMatchObject({ status: 503, body: { code: 'pending' } });
    expect(seen).toMatchObject({ status: 200, body: { exitCode: 8, progress: null } });
  },
);
