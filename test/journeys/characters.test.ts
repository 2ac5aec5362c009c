// Runbook 0 on the genuine Django product, whole: dirty data → report → people decide → fix → six migrations → refused writes → suite →
// restart → flows → soak under players → approval → production behind its flag, in its window → watch → evidence.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyEvidence } from '../../src/io/evidence.ts';
import { ask, DECISIONS, query } from '../examples/validation-system/app.ts';
import { pythonEnvironment, WITHOUT_PYTHON } from '../examples/validation-system/python.ts';
import { type CharactersStage, type Place, raiseCharactersStage, type Run } from '../support/characters-stage.ts';

const LONGEST_MS = 900_000;
const environment = await pythonEnvironment();

describe.skipIf(environment === null)(environment ? 'the characters, staging and production' : WITHOUT_PYTHON, () => {
  let stage: CharactersStage;
  beforeAll(async () => void (stage = await raiseCharactersStage()), LONGEST_MS);
  afterAll(() => stage?.stop());

  test('S0, S1: the whole way, completed, though the worker of staging is killed in each step', { timeout: LONGEST_MS }, async () => {
    const staging = await stage.environment('staging', 'dirty');
    const production = await stage.environment('production', 'clean');
    const run = await stage.start(await stage.plan([staging, production]));
    const killed = killInEachStep(run, staging);

    const asked = await run.until('people decide', ({ waitingFor }) => waitingFor?.includes('by-hand') === true, 'staging');
    expect(asked.lines.find(({ name }) => name === 'migrate')?.state).toBe('waiting');
    await query(staging.database, DECISIONS);
    expect(await run.say('decide', 'lea', 'staging', { decision: 'by-hand' })).toMatchObject({ outcome: 'accepted' });

    await run.until('the gate waits', ({ waitingFor }) => waitingFor?.startsWith('the gate of production: attestation') === true);
    expect((await ask(staging.url, 'GET', '/health')).json.build).toMatch(/^[0-9a-f]{40}$/u);
    for (const [id, person] of [
      ['uat', 'sam'],
      ['training', 'lea'],
      ['alerts-tested', 'dan'],
      ['notice', 'lea'],
    ] as const)
      expect(await run.say('attest', person, 'production', { attestation: id })).toMatchObject({ outcome: 'accepted' });
    await run.say('approve', 'lea', 'production');
    await run.say('approve', 'dan', 'production');

    expect(await run.result()).toMatchObject({ outcome: 'completed', environments: [{ ending: 'passed' }, { ending: 'passed' }] });
    expect(await verifyEvidence(run.evidence, stage.stage.control.publicText)).toMatchObject({ state: 'valid' });
    const summary = await readFile(join(run.evidence, 'SUMMARY.md'), 'utf8');
    for (const line of ['| production | downtime at most 5m |', '89 tests passed', 'sam']) expect(summary).toContain(line);
    expect((await killed).sort()).toEqual(expect.arrayContaining(['backup', 'data', 'data: fix', 'flows', 'migrate', 'preview', 'restart', 'tests']));
    for (const { database } of [staging, production]) {
      const ledger = await query<{ n: number }>(
        database,
        "select count(*)::int as n from django_migrations where app in ('characters', 'game') and name ~ '_add_'",
      );
      expect(ledger[0]?.n).toBe(6);
    }
    expect((await ask(production.url, 'GET', '/')).status).toBe(200);
  });
});

/** `kill -9` once in each step that is seen running; the names of those that were hit. Ends when the soak begins. */
async function killInEachStep(run: Run, { cast }: Place): Promise<string[]> {
  const hit = new Set<string>();
  for (;;) {
    const progress = await run.progress('staging').catch(() => null);
    if (progress?.phase === 'soak' || progress?.phase === 'stuck') return [...hit];
    const step = progress?.lines.find(({ state }) => state === 'running')?.name;
    if (step !== undefined && !hit.has(step)) {
      hit.add(step);
      await cast.worker.kill();
      await cast.worker.start();
    } else await new Promise((wake) => setTimeout(wake, 30));
  }
}
