// The evidence of a whole deployment through two environments: what is in it, that it holds no secret, and
// that every change is found.
import { appendFile, cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Delta } from '../../src/core/evidence-delta.ts';
import { bundleOptions } from '../../worker/workflow-code.ts';
import type { Signed, StartBody } from '../../src/core/messages.ts';
import { verifyEvidence } from '../../src/io/evidence.ts';
import { verifyMessage } from '../../src/io/trust.ts';
import type { DeploymentResult } from '../../workflows/contract.ts';
import {
  type Cast,
  ordersDatabase,
  query,
  raiseEnvironment,
  raiseStage,
  type Stage,
  start,
} from '../support/stage.ts';
import { openGate, PACE, sealedGateReport, twoPlacesPlan } from '../support/two-places.ts';
import { ranNow } from '../support/programs.ts';

const PASSWORD = 'S3cr3t&Ord3rs';
Runtime.install({ logger: new DefaultLogger('ERROR') });
let stage: Stage;
let casts: Cast[] = [];
let folder: string;
let result: DeploymentResult;

/** The private server trusts everybody, so any password opens it: it is there to be looked for. */
const withPassword = (url: string) =>
  url.replace('postgres://postgres@', `postgres://postgres:${encodeURIComponent(PASSWORD)}@`);

beforeAll(async () => {
  stage = await raiseStage();
  for (const environment of ['staging', 'production']) {
    const database = await ordersDatabase(stage, environment);
    await query(
      database,
      `insert into customers (name, email) values ('a', 'a@example.org');
       insert into orders (customer_id, status, total_cents) values (1, 'pending', 500), (1, 'paid', -700)`,
    );
    casts.push(
      await raiseEnvironment(stage, withPassword(database), {
        environment,
        guardrails: { programs: ['node', 'sh'] },
        ...(casts[0] && { control: casts[0].control }),
      }),
    );
  }
  // One of the release's own commands prints its whole environment, as a careless script would.
  const careless = `  - { step: careless, check: { command: [sh, -c, "env; echo $DATABASE_URL >&2; exit 0"] } }\n`;
  const started = await start(stage, twoPlacesPlan('staging', 'production', { extra: careless }), {
    pace: PACE,
  });
  await openGate(stage, started, await sealedGateReport(stage, started, 'production'));
  result = (await stage.connected.client.workflow.getHandle(started.workflowId).result()) as DeploymentResult;
  folder = join(stage.artifacts, 'evidence', started.deployment);
}, 120_000);
afterAll(async () => {
  await Promise.all(casts.map((cast) => cast.stop()));
  await stage?.stop();
});

const files = async (at: string) =>
  (await readdir(at, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(at.length + 1))
    .sort();
const read = (path: string) => readFile(join(folder, path), 'utf8');

describe('the package', () => {
  test('the deployment came to its end, and its result is the manifest', async () => {
    expect(result).toMatchObject({ outcome: 'completed' });
    expect(await verifyEvidence(folder, stage.control.publicText)).toEqual({
      state: 'valid',
      problems: [],
      manifest: result.evidence.manifest,
      unproven: [],
    });
  });

  test('it holds baseline, after, logs, approvals and histories of both places', async () => {
    const all = await files(folder);
    for (const place of ['staging', 'production'])
      expect(all).toEqual(
        expect.arrayContaining([
          `baseline/${place}/database.json`,
          `baseline/${place}/findings/data.json`,
          `baseline/${place}/preview/0002_order_guards.sql`,
          `after/${place}/database.json`,
          `after/${place}/findings/data.json`,
          `logs/${place}/receipts.json`,
          `logs/${place}/receipts.jsonl`,
          `history/rollout_orders_${place}.json`,
        ]),
      );
    expect(all).toEqual(
      expect.arrayContaining([
        'delta.json',
        'delta.md',
        'SUMMARY.md',
        'plan.yaml',
        'approvals/start.json',
        'manifest.json',
      ]),
    );
    expect(
      all
        .filter((name) => name.startsWith('approvals/production/'))
        .map((name) => name.split('/')[2]!.split('-').slice(0, 2).join(' ')),
    ).toEqual(['approve dan', 'approve lea', 'attest lea', 'gate report.json']);
  });

  test('what people signed can be verified from the package alone', async () => {
    const start = JSON.parse(await read('approvals/start.json')) as Signed<StartBody>;
    const signed: Signed<StartBody> = {
      ...start,
      body: { ...start.body, planText: await read('plan.yaml') },
    };
    expect(verifyMessage(signed, stage.people.ann.publicText)).toBe(true);
    const name = (await files(join(folder, 'approvals/production'))).find((file) =>
      file.startsWith('approve-dan'),
    )!;
    const approval = JSON.parse(await read(`approvals/production/${name}`)) as {
      signed: Signed;
      roles: string[];
      at: string;
    };
    expect(verifyMessage(approval.signed, stage.people.dan.publicText)).toBe(true);
    expect(approval.roles).toEqual(['dba']);
    expect(Date.now() - Date.parse(approval.at)).toBeLessThan(120_000);
  });

  test('the delta names exactly what the migrations and the fix did', async () => {
    const delta = JSON.parse(await read('delta.json')) as { environments: Delta[] };
    for (const place of delta.environments) {
      expect(place.catalog.added.map((entry) => entry.object).sort()).toEqual([
        'column public.orders.discount_cents',
        'constraint public.order_items.order_items_qty_positive',
        'constraint public.orders.orders_discount_within_total',
        'constraint public.orders.orders_status_known',
        'constraint public.orders.orders_total_non_negative',
        'index public.orders_unpaid_idx',
      ]);
      expect(place.catalog.removed).toEqual([]);
      expect(place.catalog.changed.map((entry) => [entry.object, entry.was, entry.is])).toEqual([
        ['column public.orders.total_cents', 'bigint NOT NULL', 'bigint DEFAULT 0 NOT NULL'],
      ]);
      expect(place.rows).toEqual([
        { table: 'audit.change_ledger', was: 1, is: 3 },
        { table: 'public.orders', was: 2, is: 2 },
        { table: 'public.schema_migrations', was: 1, is: 3 },
      ]);
      expect(place.findings).toEqual([
        { step: 'data', category: 'negative-total', was: 1, is: 0 },
        { step: 'data', category: 'zero-qty', was: 0, is: 0 },
      ]);
    }
    expect(await read('delta.md')).toContain(
      '`column public.orders.discount_cents`: `bigint DEFAULT 0 NOT NULL`',
    );
  });

  test(
    'the summary says what changed, what was checked, who decided, what was not proven, and that it ' +
      'was a demo',
    async () => {
      const text = await read('SUMMARY.md');
      expect(text).toContain('**DEMO**');
      expect(text).toMatch(/staging: soak of 7 days in the plan, [\d.]+ seconds in reality/u);
      expect(text).toContain('negative-total 1 → 0');
      expect(text).toMatch(/\| backup \| pass \|[^|]+\| proven by restore: \d+ tables/u);
      expect(text).toMatch(/\| lea \| lead \| approve \| production \| \d{4}-/u);
      expect(text).toMatch(/\| dan \| dba \| approve \| production \| \d{4}-\S+ \| looks good \|/u);
      expect(text).toMatch(
        /\| lea \| lead \| attest \| production \| \d{4}-\S+ \| tried: It was tried by hand \|/u,
      );
      expect(text).toContain('- The lengths of soak and watch: this run was compressed.');
    },
  );

  test('the histories can be replayed', async () => {
    const logger = new DefaultLogger('ERROR');
    const workflowBundle = await bundleWorkflowCode({ ...bundleOptions(), logger });
    for (const name of ['deployment', 'rollout']) {
      const file = (await files(join(folder, 'history'))).find((candidate) => candidate.startsWith(name))!;
      // Temporal's own reader of JSON histories is broken by two copies of protobufjs in node_modules; the
      // proto's own is not.
      const { temporal } = createRequire(import.meta.resolve('@temporalio/common'))('@temporalio/proto');
      const history = temporal.api.history.v1.History.fromObject(JSON.parse(await read(`history/${file}`)));
      await Worker.runReplayHistory({ workflowBundle }, history, name);
    }
  });

  test('no file, history or worker log holds the password of the database, in whatever spelling', async () => {
    const spellings = [PASSWORD, encodeURIComponent(PASSWORD)];
    const seen: string[] = [];
    for (const place of [stage.artifacts, ...casts.map((cast) => cast.place.folder)]) {
      for (const name of (await files(place)).filter((file) => !file.endsWith('.dump'))) {
        const text = await readFile(join(place, name), 'latin1');
        // Payloads stand in histories as base64.
        const decoded = [...text.matchAll(/"data": ?"([A-Za-z0-9+/=]+)"/gu)].map(([, data]) =>
          Buffer.from(data!, 'base64').toString('latin1'),
        );
        if ([text, ...decoded].some((part) => spellings.some((spelling) => part.includes(spelling))))
          seen.push(name);
      }
    }
    expect(seen).toEqual([]);
    expect(
      await read('logs/staging/06-careless.log').catch(async () =>
        read((await files(folder)).find((name) => name.endsWith('careless.log'))!),
      ),
    ).toContain('DATABASE_URL=•••');
  });
});

describe('a package that was touched', () => {
  let copy: string;
  beforeAll(async () => {
    copy = await mkdtemp(join(tmpdir(), 'sg-evidence-'));
    await cp(folder, copy, { recursive: true });
  });
  afterAll(() => rm(copy, { recursive: true, force: true }));

  /** Touches a copy, asks, and puts it right again. */
  const touched = async (name: string, act: (path: string, at: string) => Promise<unknown>) => {
    const path = join(copy, name);
    const before = ['manifest.json', 'SUMMARY.md', name];
    try {
      await act(path, copy);
      return await verifyEvidence(copy, stage.control.publicText);
    } finally {
      await rm(path, { force: true });
      for (const file of before) await cp(join(folder, file), join(copy, file)).catch(() => undefined);
    }
  };
  const rewritten = async (path: string, change: (manifest: Record<string, never>) => object) => {
    await writeFile(path, JSON.stringify(change(JSON.parse(await readFile(path, 'utf8')))));
  };

  test('one changed byte is found, in whatever folder', async () => {
    const all = (await files(folder)).filter((file) => file !== 'manifest.json');
    const oneEach = [...new Map(all.map((file) => [dirname(file), file])).values()];
    expect(oneEach.length).toBeGreaterThan(8);
    for (const name of oneEach) {
      const { state, problems } = await touched(name, (path) => appendFile(path, ' '));
      expect([name, state, problems]).toEqual([name, 'changed', [`${name} was changed`]]);
    }
  });

  test('an added and a missing file are found, and a link', async () => {
    expect(await touched('logs/.hidden', (path) => writeFile(path, ''))).toMatchObject({
      state: 'changed',
      problems: ['logs/.hidden was added'],
    });
    expect(await touched('SUMMARY.md', (path) => rm(path))).toMatchObject({
      state: 'changed',
      problems: ['SUMMARY.md is missing'],
    });
    expect(await touched('link', (path) => symlink('/etc/hostname', path))).toMatchObject({
      state: 'changed',
      problems: ['link is not a regular file'],
    });
  });

  test('a rewritten manifest is found: by its hash, and by its signature when the hash was made to fit', async () => {
    expect(
      await touched('manifest.json', (path) =>
        rewritten(path, (manifest) => ({ ...manifest, outcome: 'rolled-back' })),
      ),
    ).toMatchObject({
      state: 'changed',
    });
    const forge = async (_path: string, at: string) => {
      await writeFile(join(at, 'SUMMARY.md'), 'all is well');
      const script = `
        import { readFileSync, writeFileSync } from 'node:fs';
        import { hashEvidence } from ${JSON.stringify(join(import.meta.dirname, '../../src/io/evidence.ts'))};
        import { hashJson } from ${JSON.stringify(join(import.meta.dirname, '../../src/io/trust.ts'))};
        const { hash, signature, ...manifest } = JSON.parse(readFileSync('manifest.json', 'utf8'));
        const forged = { ...manifest, files: (await hashEvidence('.')).files };
        const whole = { ...forged, hash: hashJson(forged), signature };
        writeFileSync('manifest.json', JSON.stringify(whole, null, 1));`;
      ranNow(process.execPath, ['--input-type=module', '-e', script], { cwd: at });
      // Without the key of the control worker it cannot be told, and that is said.
      expect(await verifyEvidence(at)).toMatchObject({
        state: 'valid',
        unproven: ['the signature of the manifest: pass --control KEY'],
      });
    };
    expect(await touched('manifest.json', forge)).toMatchObject({
      state: 'changed',
      problems: ['manifest.json was changed, or another control key signed it'],
    });
    expect(await touched('manifest.json', (path) => writeFile(path, '{'))).toMatchObject({
      state: 'changed',
      manifest: null,
    });
  });

  test('one that was cut off is incomplete, never valid', async () => {
    expect(await touched('manifest.json', (path) => rm(path))).toMatchObject({
      state: 'incomplete',
      manifest: null,
    });
  });
});
