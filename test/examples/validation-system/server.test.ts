// Both releases over HTTP: what they answer and refuse, who wins a race, the flag, the failure switches, the
// monitor.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { flows } from '../../../activities/checks/flows.ts';
import type { Work } from '../../../activities/frame/step-context.ts';
import { countLines } from '../../../src/core/log-lines.ts';
import type { LogRead } from '../../../src/core/plan/monitors/log.ts';
import type { Monitor } from '../../../src/core/plan/plan.ts';
import { valueAt } from '../../../src/core/pointer.ts';
import { followFile } from '../../../src/io/followed-file.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import {
  type Answer,
  type App,
  ask,
  checkOut,
  managed,
  makeRepository,
  python,
  query,
  read,
  READ_ONLY,
  root,
  seed,
  startApp,
  PATIENCE,
} from './app.ts';
import { pythonEnvironment, WITHOUT_PYTHON } from './python.ts';

const environment = await pythonEnvironment();

describe.skipIf(environment === null)(
  environment ? 'the server' : WITHOUT_PYTHON,
  { timeout: PATIENCE },
  () => {
    let postgres: TestPostgres;
    let folder: string;
    let fault: string;
    let flag: string;
    let logs: string;
    let prev: App;
    let next: App;
    let database: string;
    const checkout = (release: string) => join(folder, release);

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'tg-'));
      [fault, flag, logs] = [
        join(folder, 'fault.json'),
        join(folder, 'maintenance.flag'),
        join(folder, 'logs'),
      ];
      mkdirSync(logs);
      postgres = await startPostgres();
      const repository = await makeRepository(join(folder, 'repository'));
      for (const release of ['v-prev', 'v-next'] as const)
        await checkOut(repository, release, checkout(release));
      const old = await seed(postgres, checkout('v-prev'), 'old', ['--size', '40', '--clean']);
      await postgres.createDatabase('new', 'old');
      database = postgres.url('new');
      await managed(checkout('v-next'), database, ['migrate', '--verbosity', '0']);
      const env = { TG_FAULT: fault, MAINTENANCE_FLAG: '../maintenance.flag', BUILD_ID: 'b-17' };
      [prev, next] = await Promise.all([
        startApp(checkout('v-prev'), old, env),
        startApp(checkout('v-next'), database, { ...env, LOG_DIR: logs }),
      ]);
    }, PATIENCE);
    afterEach(() => turn({}));
    afterAll(async () => {
      await Promise.all([prev?.stop(), next?.stop()]);
      await postgres?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    /** Sets the switches of the running servers; they look every 100 ms. */
    async function turn(switches: Record<string, unknown>): Promise<void> {
      writeFileSync(fault, JSON.stringify(switches));
      await sleep(120);
    }
    const create = async (app: App, values: Record<string, unknown> = {}): Promise<number> => {
      const { status, json } = await app.ask('POST', '/api/characters/', { name: 'Test', ...values });
      expect(status, JSON.stringify(json)).toBe(201);
      return json.id as number;
    };
    const statuses = (answers: readonly Answer[]) =>
      answers.map(({ status }) => status).sort((a, b) => a - b);
    const spend = (app: App, id: number, cost: number) =>
      app.ask('POST', `/api/characters/${id}/spend-xp/`, { trait: 'wits', cost });
    const hero = async (app: App, id: number) =>
      (await app.ask('GET', `/api/characters/${id}/`)).json as Record<string, unknown>;

    test('answers pages, lists and health, to GET and HEAD', async () => {
      for (const app of [prev, next]) {
        expect(await app.ask('GET', '/health')).toEqual({
          status: 200,
          json: { status: 'ok', database: 'ok', build: 'b-17' },
        });
        expect((await app.ask('GET', '/')).json).toMatch(/\d+ characters, 6 scenes/);
        expect((await app.ask('GET', '/api/characters/')).json.characters.length).toBeGreaterThan(40);
        for (const path of ['/', '/health', '/api/characters/'])
          expect((await app.ask('HEAD', path)).status).toBe(200);
        expect((await app.ask('GET', '/admin/login/')).status).toBe(200);
        expect((await app.ask('GET', '/api/characters/99999/')).status).toBe(404);
        expect((await app.ask('GET', '/api/nothing')).status).toBe(404);
      }
    });

    test("plays the plan's flows on v-next, and v-prev fails them", async () => {
      const play = (url: string) =>
        flows(
          {
            checkout: checkout('v-next'),
            step: { index: 0 },
            list: { steps: [], environment: {} },
            service: { url },
            signal: new AbortController().signal,
            progress: () => undefined,
          } as unknown as Work,
          { file: 'flows/xp.yaml' },
        );
      expect(await play(next.url)).toMatchObject({ verdict: 'pass', figures: { flows: 6 } });
      expect(await play(prev.url)).toMatchObject({ verdict: 'fail' });
    });

    test('names field and rule of what it refuses, and keeps nothing of it', async () => {
      const id = await create(next, { xp: 5 });
      for (const [values, field, rule] of [
        [{ xp: -100 }, 'xp', 'characters_character_xp_non_negative'],
        [{ strength: 15 }, 'strength', 'characters_human_strength_range'],
        [
          { willpower: 5, temporary_willpower: 6 },
          'temporary_willpower',
          'characters_human_temp_not_exceeds_max',
        ],
        [{ age: 1000 }, 'age', 'characters_human_age_limits'],
        [{ xp: 'many' }, 'xp', 'integer'],
        [{ xp: 1e12 }, 'xp', 'integer'],
        [{ wisdom: 3 }, 'wisdom', 'unknown_field'],
      ] as const) {
        const refused = { status: 400, json: { field, rule, message: expect.any(String) as string } };
        expect(await next.ask('PATCH', `/api/characters/${id}/`, values)).toEqual(refused);
        expect(await next.ask('POST', '/api/characters/', { name: 'Test', ...values })).toEqual(refused);
      }
      expect(await hero(next, id)).toMatchObject({ xp: 5, strength: 1, willpower: 3, age: null });
      expect((await prev.ask('POST', '/api/characters/', { name: 'Test', xp: -1 })).status).toBe(201);
      expect(
        await next.ask('POST', `/api/characters/${id}/spend-xp/`, { trait: 'luck', cost: 1 }),
      ).toMatchObject({
        status: 400,
        json: { field: 'trait' },
      });
      const garbage = await fetch(`${next.url}/api/characters/`, { method: 'POST', body: '{' });
      expect([garbage.status, await garbage.json()]).toMatchObject([400, { field: 'body', rule: 'json' }]);
    });

    test('of two spends at once both win on v-prev, and one on v-next', async () => {
      await turn({ holdLockMs: 150 });
      const results: Record<string, unknown> = {};
      for (const [name, app] of Object.entries({ prev, next })) {
        const id = await create(app, { xp: 10 });
        const answers = await Promise.all([spend(app, id, 8), spend(app, id, 8)]);
        results[name] = [...statuses(answers), (await hero(app, id))['xp']];
      }
      expect(results).toEqual({ prev: [201, 201, -6], next: [201, 409, 2] });
    });

    test('of eight spends at once one wins on v-next, without any help', async () => {
      for (let round = 0; round < 3; round += 1) {
        const id = await create(next, { xp: 10 });
        const answers = await Promise.all(Array.from({ length: 8 }, () => spend(next, id, 8)));
        expect(statuses(answers)).toEqual([201, ...Array<number>(7).fill(409)]);
        expect((await hero(next, id))['xp']).toBe(2);
      }
    });

    test('a failure between two writes leaves half of them on v-prev, and nothing on v-next', async () => {
      const left: Record<string, unknown> = {};
      for (const [name, app] of Object.entries({ prev, next })) {
        const guests = [await create(app), await create(app), await create(app)];
        const scene = (await app.ask('POST', '/api/scenes/', { name: 'Test', participants: guests })).json
          .id as number;
        await turn({ failAfter: 2 });
        expect((await app.ask('POST', `/api/scenes/${scene}/award-xp/`, { xp: 4 })).status).toBe(500);
        await turn({});
        left[name] = await Promise.all(guests.map(async (id) => (await hero(app, id))['xp']));
      }
      expect(left).toEqual({ prev: [4, 4, 0], next: [0, 0, 0] });
    });

    test('closes the outside while the flag is there, but not /health nor the inside', async () => {
      writeFileSync(flag, '');
      for (const path of ['/', '/api/characters/', '/admin/login/'])
        expect(await next.ask('GET', path)).toEqual({
          status: 503,
          json: { status: 'maintenance', build: 'b-17' },
        });
      expect((await next.ask('POST', '/api/characters/', { name: 'Test' })).status).toBe(503);
      expect((await next.ask('GET', '/health')).status).toBe(200);
      for (const path of ['/', '/api/characters/', '/health'])
        expect((await ask(next.insideUrl, 'GET', path)).status).toBe(200);
      rmSync(flag);
      expect((await next.ask('GET', '/')).status).toBe(200);
    });

    test('each switch of the running server does what it says', async () => {
      const id = await create(next, { xp: 10 });
      await turn({ breakHealth: 1 });
      expect(await next.ask('GET', '/health')).toEqual({
        status: 503,
        json: { status: 'down', database: 'ok', build: 'b-17' },
      });
      await turn({ errorRate: 1 });
      for (const path of ['/', '/health']) expect((await next.ask('GET', path)).status).toBe(500);
      expect((await spend(next, id, 1)).status).toBe(500);
      await turn({ slowMs: 300 });
      const started = performance.now();
      expect((await next.ask('GET', '/')).status).toBe(200);
      expect(performance.now() - started).toBeGreaterThan(290);
      await turn({ skipValidation: 1 });
      expect(await next.ask('PATCH', `/api/characters/${id}/`, { strength: 15 })).toMatchObject({
        status: 400,
        json: { field: 'strength', rule: 'characters_human_strength_range' },
      });
      await turn({});
      expect((await next.ask('POST', '/api/deadlock/forward/')).status).toBe(404);
      await turn({ deadlock: 1 });
      const both = await Promise.all(
        ['forward', 'backward'].map((order) => next.ask('POST', `/api/deadlock/${order}/`)),
      );
      expect(statuses(both)).toEqual([200, 503]);
      expect(both.find(({ status }) => status === 503)?.json).toEqual({ error: 'busy', code: '40P01' });
    });

    test("S0-51, S0-52: the plan's monitor counts in its two log files what only the database stopped, once and by name", async () => {
      const { log } = parse(read('releases/v-next/soakgate.yaml')).monitors.log.read as { log: LogRead };
      const follow = (from: readonly (string | undefined)[]) =>
        Promise.all(log.files.map((file, at) => followFile(join(logs, file), from[at])));
      const before = (await follow([])).map(({ place }) => place);
      const { id } = (await next.ask('POST', '/api/characters/', { name: 'Strong' })).json;
      await next.ask('PATCH', `/api/characters/${id}/`, { strength: 15 });
      await turn({ skipValidation: 1 });
      await next.ask('PATCH', `/api/characters/${id}/`, { strength: 15 });
      const found = (await follow(before)).map(({ lines }) => lines);
      expect(
        found.map((lines) => lines.filter((line) => line.includes('23514')).length),
        'an error stands in both',
      ).toEqual([1, 1]);
      const { counts, caught } = countLines(log, found, '');
      expect(counts).toMatchObject({ integrity: 1, validation: 1, rollbacks: 1 });
      expect(caught['integrity']).toBe('characters_human_strength_range ×1');
    });

    test('S0-60: its log set-up has two files of 10 MB, with five old ones each', async () => {
      const asked = [
        'shell',
        '-c',
        'from django.conf import settings; import json; print(json.dumps(settings.LOGGING["handlers"], default=str))',
      ];
      const handlers = JSON.parse(
        (await managed(checkout('v-next'), database, asked, { LOG_DIR: logs }))
          .trimEnd()
          .split('\n')
          .at(-1) ?? '',
      ) as object;
      const rotating = {
        class: 'logging.handlers.RotatingFileHandler',
        maxBytes: 10_485_760,
        backupCount: 5,
      };
      expect(handlers).toMatchObject({
        all: { ...rotating, level: 'INFO', filename: join(logs, 'validation.log') },
        errors: { ...rotating, level: 'ERROR', filename: join(logs, 'validation_errors.log') },
      });
    });

    test('takes the switches from the environment, too', async () => {
      const env = { FAIL_AFTER: '1', HOLD_LOCK_MS: '200', SLOW_MS: '100', BREAK_HEALTH: '1', DEADLOCK: '1' };
      const app = await startApp(checkout('v-next'), database, env);
      const id = await create(app, { xp: 10 });
      expect((await app.ask('GET', '/health')).status).toBe(503);
      const started = performance.now();
      expect((await spend(app, id, 1)).status).toBe(500);
      expect(performance.now() - started).toBeGreaterThan(290);
      expect((await hero(app, id))['xp']).toBe(10);
      expect((await app.ask('POST', '/api/deadlock/forward/')).status).toBe(200);
      expect(await app.stop()).toBe(0);
    });

    test('says 503 while the database is gone, and goes on when it is back, under its own session name', async () => {
      const admin = postgres.url('postgres');
      await query(
        admin,
        "alter database new allow_connections false; select pg_terminate_backend(pid) from pg_stat_activity where datname = 'new'",
      );
      expect(await next.ask('GET', '/health')).toMatchObject({
        status: 503,
        json: { status: 'down', database: 'down' },
      });
      expect((await next.ask('GET', '/api/characters/')).status).toBe(503);
      await query(admin, 'alter database new allow_connections true');
      expect((await next.ask('GET', '/health')).status).toBe(200);
      expect(
        await query(
          admin,
          "select distinct application_name as name from pg_stat_activity where datname = 'new'",
        ),
      ).toEqual([{ name: 'tg' }]);
    });

    test('does not start without a port', async () => {
      const { code, stderr } = await python(checkout('v-next'), ['-m', 'gunicorn', 'tg.wsgi'], database, {
        PORT: '',
      });
      expect([code, stderr]).toEqual([1, expect.stringContaining('PORT is not a port')]);
    });

    test('plays rounds without a failure, enough for the monitor to speak', async () => {
      const report = join(folder, 'report.jsonl');
      const traffic = spawn(
        process.execPath,
        [join(root, 'traffic.mjs'), '--url', next.url, '--rate', '10', '--report', report],
        { stdio: 'inherit' },
      );
      const ended = once(traffic, 'exit');
      await sleep(3500);
      traffic.kill('SIGTERM');
      expect((await ended)[0]).toBe(0);
      const seconds = readFileSync(report, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { sent: number; ok: number; failed: number });
      const sum = (key: 'sent' | 'ok' | 'failed') =>
        seconds.reduce((total, second) => total + second[key], 0);
      expect([sum('failed'), sum('ok')]).toEqual([0, sum('sent')]);
      const done =
        "select count(*)::int as n from monitoring_operation where operation = 'xp_spend' and outcome = 'done'";
      expect((await query<{ n: number }>(database, done))[0]!.n).toBeGreaterThan(20);
    });

    describe('the monitor', () => {
      const monitor = async (args: readonly string[]): Promise<any> =>
        JSON.parse(
          await managed(checkout('v-next'), database, ['monitor_validation', '--json', ...args], READ_ONLY),
        );
      const insert = (rows: string) =>
        query(
          database,
          `insert into monitoring_operation (operation, outcome, latency_ms, violation, error, at) ${rows}`,
        );

      test('has counted what the other tests did', async () => {
        const facts = await monitor(['--period', '24']);
        expect(facts.constraint_violations).toBe(2);
        expect(facts.deadlocks).toBe(1);
        expect(facts.xp_spend.success_rate.value).toBeLessThan(1);
        expect(facts.page_ms).toEqual({ value: null, missing: 'REDIS_URL is not set' });
        expect(
          (await monitor(['--since', new Date(Date.now() + 1000).toISOString()])).constraint_violations,
        ).toBe(0);
      });

      test('has what the metrics of the plan point to, with samples', async () => {
        await query(database, 'truncate monitoring_operation');
        await insert(
          "select 'xp_spend', case when n <= 3 then 'failed' else 'done' end, n * 10, '', '', now() from generate_series(1, 25) n",
        );
        await insert("select 'xp_spend', 'refused', 9000, '', '', now() from generate_series(1, 50) n");
        await insert(
          "select 'scene_xp', 'done', 5, '', '', now() - interval '2 hours' from generate_series(1, 9) n",
        );
        const facts = await monitor(['--since', new Date(Date.now() - 60_000).toISOString()]);
        const { metrics } = (
          parse(read('releases/v-next/soakgate.yaml')) as { monitors: { validation: Monitor } }
        ).monitors.validation;
        const values = Object.entries<any>(metrics).map(([name, { at }]) => [name, valueAt(facts, at)]);
        expect(Object.fromEntries(values)).toEqual({
          health: 100 - 30 - 15,
          'xp-success': { value: 0.88, samples: 25 },
          'xp-latency': { value: 240, samples: 25 },
          'scene-xp': { value: 1, samples: 5 },
          violations: 0,
        });
      });

      test('says of nothing that it was nothing, and refuses a time that is none', async () => {
        await query(database, 'truncate monitoring_operation');
        expect(await monitor(['--period', '168'])).toMatchObject({
          health_score: 100,
          xp_spend: { success_rate: { value: null, samples: 0 } },
        });
        await expect(monitor(['--since', 'yesterday'])).rejects.toThrow('--since is not a time');
      });
    });
  },
);
