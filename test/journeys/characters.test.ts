// Runbook 0 on the genuine Django product, whole: dirty data → report → people decide → fix → six migrations
// → forbidden writes → suite →
// restart → flows → soak under players → approval → production behind its flag, in its window → watch →
// evidence.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RolloutResult } from '../../workflows/contract.ts';
import type { Progress } from '../../workflows/progress.ts';
import { verifyEvidence } from '../../src/io/evidence.ts';
import { ask, DECISIONS, query } from '../examples/validation-system/app.ts';
import { pythonEnvironment, WITHOUT_PYTHON } from '../examples/validation-system/python.ts';
import {
  type CharactersStage,
  PASSWORD,
  type Place,
  raiseCharactersStage,
  type Run,
} from '../support/characters-stage.ts';

const LONGEST_MS = 1_800_000;
/** Less than the heartbeat timeout of this stage and the pause before the first retry. */
const UNNOTICED_MS = 2_000;
const environment = await pythonEnvironment();

const SIGNATURES = [
  /\| ann \| requester \| start \| all \|/u,
  /\| lea \| technical-lead \| decide \| staging \| \S+Z \| fixed-manually \|/u,
  /\| lea \| technical-lead \| attest \| production \| \S+Z \| notice: The users were informed of the window/u,
  /\| sam \| storyteller \| attest \| production \| \S+Z \| uat: The storytellers' flows were tried by hand/u,
  /\| lea \| technical-lead \| attest \| production \| \S+Z \| staging-issues: Whatever was found on staging is mended; nothing is open \|/u,
  /\| lea \| technical-lead \| attest \| production \| \S+Z \| lessons: [^|]*: seed the test users first \|/u,
  /\| lea \| technical-lead \| attest \| production \| \S+Z \| team: /u,
  /\| lea \| technical-lead \| attest \| production \| \S+Z \| training: /u,
  /\| dan \| dba \| attest \| production \| \S+Z \| alerts-tested: /u,
  /\| lea \| technical-lead \| approve \| production \|/u,
  /\| dan \| dba \| approve \| production \|/u,
];
const STAGING = [
  'permit pass: permit checked, 20 steps kept',
  'preflight pass: 21 conditions hold',
  'release pass: BUILD checked out beside the running release',
  'pending pass: 6 pending exactly as declared, 23 applied',
  'baseline pass: 18 tables counted, 3 addresses measured',
  'backup pass: proven by restore: 18 tables, 228 objects equal',
  'data fail: 15 findings: 11 can be fixed, 4 for people, 0 cannot be fixed',
  'data pass: 11 findings: 11 can be fixed, 0 for people, 0 cannot be fixed',
  'data: fix pass: 11 rows fixed, each with its before-image',
  'data: again pass: no findings',
  'preview pass: 6 migrations, 23 lint findings, rehearsed up-down-up in ',
  'migrate pass: 6 migrations applied',
  'schema pass: 5 of 5 expectations on constraints hold',
  'forbidden-writes pass: 4 of 4 writes refused by their constraint',
  'tests pass: 89 tests passed, 0 failed, 0 skipped,',
  'characters pass: ended with 0 after ',
  'static pass: ended with 0 after ',
  'switch pass: current → BUILD',
  'restart pass: web: pid up, serving build BUILD',
  'health pass: /health as expected after ',
  'flows pass: 6 of 6 flows as expected',
  'performance pass: mean at most 2000% of baseline holds',
];
/** The same, behind its flag; nothing is fixed there, and neither suite nor flows write there. */
const PRODUCTION = [
  'permit pass: permit checked, 18 steps kept',
  ...STAGING.slice(1, 5),
  'close-site pass: the site answers 503',
  ...STAGING.slice(5, 6),
  'data pass: no findings',
  ...STAGING.slice(10, 14),
  ...STAGING.slice(15, 20),
  ...STAGING.slice(21),
  'open-site pass: the site is open again',
];

describe.skipIf(environment === null)(
  environment ? 'the characters, staging and production' : WITHOUT_PYTHON,
  () => {
    let stage: CharactersStage;
    beforeAll(async () => void (stage = await raiseCharactersStage()), LONGEST_MS);
    afterAll(() => stage?.stop());

    test(
      'S0, S1: the whole way, completed, though the worker of staging is killed in each step',
      { timeout: LONGEST_MS },
      async () => {
        const staging = await stage.environment('staging', 'dirty');
        const production = await stage.environment('production', 'clean', { players: 1 });
        const plan = await stage.plan([staging, production]);
        const run = await stage.start(plan);
        expect(await stage.startAgain(plan, run), 'one run, however often it is started').toMatchObject({
          fresh: false,
          deployment: run.deployment,
        });
        const killed = killInEachStep(run, staging);
        // What fails first ends the stage, and this with it.
        killed.catch(() => undefined);

        const asked = await run.until(
          'people decide',
          ({ waitingFor }) => waitingFor?.includes('fixed-manually') === true,
          'staging',
        );
        expect(asked.lines.find(({ name }) => name === 'migrate')?.state).toBe('waiting');
        await query(staging.database, DECISIONS);
        expect(await run.say('decide', 'lea', 'staging', { decision: 'fixed-manually' })).toMatchObject({
          outcome: 'accepted',
        });
        // Users are told long before anybody knows whether the gate will open.
        expect(await run.say('attest', 'lea', 'production', { attestation: 'notice' })).toMatchObject({
          outcome: 'accepted',
        });

        await run.until(
          'the gate waits',
          ({ waitingFor }) => waitingFor?.startsWith('the gate of production: attestation') === true,
        );
        expect((await ask(staging.url, 'GET', '/health')).json.build).toMatch(/^[0-9a-f]{40}$/u);
        for (const [id, person, comment] of [
          ['uat', 'sam', ''],
          ['staging-issues', 'lea', ''],
          ['lessons', 'lea', 'seed the test users first'],
          ['team', 'lea', ''],
          ['training', 'lea', ''],
          ['alerts-tested', 'dan', ''],
        ] as const)
          expect(
            await run.say('attest', person, 'production', { attestation: id, ...(comment && { comment }) }),
          ).toMatchObject({ outcome: 'accepted' });
        await run.say('approve', 'lea', 'production');
        await run.say('approve', 'dan', 'production');

        expect(await run.result()).toMatchObject({
          outcome: 'completed',
          environments: [{ outcome: 'passed' }, { outcome: 'passed' }],
        });
        expect(await verifyEvidence(run.evidence, stage.stage.control.publicText)).toMatchObject({
          state: 'valid',
        });
        const summary = await readFile(join(run.evidence, 'SUMMARY.md'), 'utf8');
        for (const line of [
          '| production | downtime at most 5m |',
          '| production | reversible |',
          '- call on-call: +49 30 555 0100',
          '- read design: docs/design',
        ])
          expect(summary).toContain(line);
        for (const signature of SIGNATURES) expect(summary).toMatch(signature);
        expect(await receipts(run, 'staging')).toEqual(STAGING);
        expect(await receipts(run, 'production')).toEqual(PRODUCTION);
        const preview = await readFile(join(run.evidence, 'logs/staging/receipts.jsonl'), 'utf8');
        expect(preview, 'players play on while it is rehearsed').toMatch(
          /would (?:block|wait behind)[^"]* public\.characters_/u,
        );
        expect(
          await filesWith(
            [PASSWORD, encodeURIComponent(PASSWORD)],
            [run.evidence, staging.cast.place.folder, production.cast.place.folder],
          ),
        ).toEqual([]);
        expect(await killed).toEqual((await run.progress('staging')).lines.map(({ name }) => name));
        await lookedAtAfterwards(run);
        for (const { database } of [staging, production]) {
          const ledger = await query<{ n: number }>(
            database,
            `select count(*)::int as n from django_migrations
              where app in ('characters', 'game') and name ~ '_add_'`,
          );
          expect(ledger[0]?.n).toBe(6);
        }
        expect((await ask(production.url, 'GET', '/')).status).toBe(200);
      },
    );
  },
);

/** S1-52: when all is over it is looked, and looked again when somebody asks, until a person ends it. */
async function lookedAtAfterwards(run: Run): Promise<void> {
  const told = async () =>
    (await run.afterwards('production'))?.notes.filter((note) => /^\S+Z: /u.test(note)) ?? [];
  const until = async (count: number) => {
    for (const deadline = Date.now() + 240_000; (await told()).length < count;) {
      if (Date.now() > deadline)
        throw new Error(`not ${count} looks: ${JSON.stringify(await run.afterwards('production'), null, 1)}`);
      await new Promise((wake) => setTimeout(wake, 200));
    }
  };
  await until(1);
  expect((await told())[0]).toMatch(/: nothing is wrong$/u);
  expect((await run.afterwards('production'))?.metrics.join(), "by the app's own monitor").toMatch(
    /validation\/health: \d/u,
  );
  expect(await run.say('checkNow', 'dan', 'production')).toMatchObject({
    outcome: 'accepted',
    text: 'checking now',
  });
  await until(2);
  expect(await run.say('stopChecks', 'lea', 'production')).toMatchObject({ outcome: 'accepted' });
  expect((await run.afterwards('production'))?.notes.at(-1)).toBe('ended by lea');
}

/** Files below these folders that hold one of these words; checkouts hold none of ours. */
async function filesWith(words: readonly string[], folders: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const folder of folders) {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (!entry.isFile() || path.includes('/releases/')) continue;
      // What follows up is at work still: a file of its own may be gone again.
      const text = await readFile(path, 'latin1').catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
        return '';
      });
      // Payloads stand in histories as base64.
      const payloads = [...text.matchAll(/"data": ?"([A-Za-z0-9+/=]+)"/gu)].map(([, data]) =>
        Buffer.from(data!, 'base64').toString('latin1'),
      );
      if ([text, ...payloads].some((part) => words.some((word) => part.includes(word)))) found.push(path);
    }
  }
  return found;
}

/**
 * Step and verdict of each receipt, with what the runbook wants to read of it; times and addresses are of one
 * run only.
 */
async function receipts({ evidence }: Run, environment: string): Promise<readonly string[]> {
  const told = JSON.parse(
    await readFile(join(evidence, 'logs', environment, 'receipts.json'), 'utf8'),
  ) as Pick<RolloutResult, 'receipts'>;
  return told.receipts
    .map(
      ({ step, verdict, summary }) =>
        `${step} ${verdict}: ` +
        `${summary.replaceAll(/ \((?:dump|proof).*\)|\d+(?:\.\d+)? ms|, \d+ rows|, \d+ locks? would wait now|, \d+ running quer.*$| on test_\w+ of.*$/gu, '')}`,
    )
    .map((line) =>
      line
        .replaceAll(/[0-9a-f]{12}/gu, 'BUILD')
        .replaceAll(/pid \d+ ended, |pid \d+/gu, (found) => (found.includes('ended') ? '' : 'pid')),
    );
}

/**
 * `kill -9` once in each step of staging, in the midst of its activity; the names of those that were hit,
 * when the soak begins. The worker is stopped
 * while it is looked at, so that a step of milliseconds is not missed. The server is asked, which costs
 * nobody else anything; the story only when the
 * worker has taken something new.
 */
async function killInEachStep(run: Run, { cast: { worker } }: Place): Promise<string[]> {
  const hit = new Set<string>();
  const seen = new Set<string>();
  for (;;) {
    process.kill(worker.pid(), 'SIGSTOP');
    const activity = await run.takenBy(worker.pid(), 'staging');
    const step = activity && !seen.has(activity.id) ? runningStep(await run.progress('staging')) : undefined;
    if (activity) seen.add(activity.id);
    if (step !== undefined && !hit.has(step) && activity?.type !== 'observe') {
      hit.add(step);
      await worker.kill();
      // Before the silence is noticed nothing can happen.
      await Promise.all([worker.start(), new Promise((wake) => setTimeout(wake, UNNOTICED_MS))]);
      continue;
    }
    process.kill(worker.pid(), 'SIGCONT');
    if (activity?.type === 'observe') return [...hit];
    await new Promise((wake) => setTimeout(wake, 8));
  }
}

const runningStep = (progress: Progress) => progress.lines.find(({ state }) => state === 'running')?.name;
