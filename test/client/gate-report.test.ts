// A person signs only a gate report that is about what was started and has the hash that it claims.
import { describe, expect, test } from 'vitest';
import type { Connected } from '../../src/client/connection.ts';
import { readGateReport, runOf } from '../../src/client/gate-report.ts';
import type { Problem } from '../../src/client/problem.ts';
import { compileSteps } from '../../src/core/compile.ts';
import type { GateReport, SealedGateReport } from '../../src/core/messages.ts';
import { hashJson } from '../../src/io/trust.ts';
import type { DeploymentInput } from '../../workflows/contract.ts';
import { planOf, smallPlan } from '../core/plan/small-plan.ts';

const commit = 'c'.repeat(40);
const plan = planOf(smallPlan);
const list = compileSteps({ plan, environment: 'production', commit, files: {}, pace: null });
const input = {
  start: {
    person: 'ann',
    body: { deployment: 'one', plan: hashJson(plan), commit, lists: { production: hashJson(list) } },
  },
  runs: [
    {
      list,
      rollout: {
        deployment: 'one',
        service: 'shop',
        environment: 'production',
        list: hashJson(list),
        hash: 'x',
      },
    },
  ],
} as unknown as DeploymentInput;

const gateReport: GateReport = {
  deployment: 'one',
  environment: 'production',
  number: 1,
  plan: hashJson(plan),
  list: hashJson(list),
  commit,
  requester: 'ann',
  facts: {},
  statement: null,
  summary: [],
};

/** A deployment that answers the query with this. */
const answering = (sealed: SealedGateReport | null): Connected => {
  const workflow = { getHandle: () => ({ query: async () => sealed }) };
  const connection = { withDeadline: (_: number, work: () => unknown) => work() };
  return {
    client: { workflow, connection },
    namespace: 'default',
    close: async () => undefined,
  } as unknown as Connected;
};
const seal = (about: Partial<GateReport>): SealedGateReport => {
  const changed = { ...gateReport, ...about };
  return { gateReport: changed, hash: hashJson(changed), signature: '' };
};
const refusal = (sealed: SealedGateReport | null, from = input): Promise<Problem> =>
  readGateReport(answering(sealed), from, 'production').then(
    () => Promise.reject(new Error('it was taken')),
    (problem: Problem) => problem,
  );

describe('a gate report', () => {
  test('that fits is handed back', async () => {
    expect(await readGateReport(answering(seal({})), input, 'production')).toEqual(seal({}));
  });

  test('whose hash is another’s is refused', async () => {
    expect(await refusal({ ...seal({}), hash: 'f'.repeat(64) })).toMatchObject({
      kind: 'not-allowed',
      message: expect.stringContaining('hash'),
    });
  });

  test.each([
    { deployment: 'two' },
    { environment: 'staging' },
    { plan: 'p' },
    { commit: 'd'.repeat(40) },
    { list: 'l' },
  ])('about %o is refused', async (about) => {
    expect(await refusal(seal(about))).toMatchObject({
      kind: 'not-allowed',
      message: expect.stringContaining(Object.keys(about)[0]!),
    });
  });

  test('of a list that was exchanged after it was signed is refused', async () => {
    const exchanged = { ...input, runs: [{ ...input.runs[0]!, list: { ...list, matrix: [] } }] };
    expect(await refusal(seal({}), exchanged)).toMatchObject({ kind: 'not-allowed' });
  });

  test('that is not sealed yet is a conflict', async () => {
    expect(await refusal(null)).toMatchObject({ kind: 'conflict' });
  });

  test('an environment that the deployment lacks is named with those that it has', () => {
    expect(() => runOf(input, 'prod')).toThrow('no environment prod');
  });
});
