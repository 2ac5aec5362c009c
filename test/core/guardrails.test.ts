// Guardrails: what an environment demands of every plan, and whether the people of a quorum are enough.
import { describe, expect, test } from 'vitest';
import { compileSteps } from '../../src/core/compile.ts';
import { guardrailComplaints, type Guardrails } from '../../src/core/guardrails.ts';
import { parsePlan } from '../../src/core/plan/parse.ts';
import type { StepList } from '../../src/core/step-list.ts';
import { storyPlan } from '../support/story-plan.ts';

const parsed = parsePlan(storyPlan(), 'soakgate.yaml');
if (!('plan' in parsed)) throw new Error(JSON.stringify(parsed.complaints));
const { plan } = parsed;
const list = compileSteps({ plan, environment: 'staging', commit: 'c'.repeat(40), files: {}, pace: null });

describe('the guardrails', () => {
  const guardrails: Guardrails = {
    start: { any: [] },
    approve: { each: [] },
    rollback: { any: [] },
    decide: { any: [] },
    operate: { any: [] },
    pace: 'refused',
    soakMs: 7 * 86_400_000,
    programs: ['node'],
  };

  test('a plan that is as strict passes, a shorter soak and another program do not', () => {
    expect(guardrailComplaints(list, guardrails)).toEqual([]);
    expect(guardrailComplaints(list, { ...guardrails, soakMs: 8 * 86_400_000 })).toEqual([
      'soak: the plan observes 7 d, this environment demands at least 8 d',
    ]);
    expect(guardrailComplaints(list, { ...guardrails, programs: [] })).toHaveLength(2);
  });

  test('a compressed run is refused, and where it is allowed its nominal length counts', () => {
    const pace = { nominalMs: 604_800_000, realMs: 60_000 };
    const compressed = compileSteps({ plan, environment: 'staging', commit: 'c', files: {}, pace });
    expect(guardrailComplaints(compressed, guardrails)).toEqual([
      'pace: this environment refuses a compressed run (--pace)',
    ]);
    expect(guardrailComplaints(compressed, { ...guardrails, pace: 'allowed' })).toEqual([]);
  });

  test(
    'S1-30: a window of 1 h 59 where 2 h are demanded; one that the gate does not ask for counts as ' +
      'none; notice alike, nominal in a compressed run',
    () => {
      const window = {
        opens: '0 2 * * SUN',
        zone: 'Europe/Berlin',
        lengthMs: 2 * 3_600_000,
        noticeMs: 48 * 3_600_000,
      };
      const gate = {
        sealed: [],
        attested: [],
        beforeDeploying: ['window-open', 'notice-given'],
      } as unknown as NonNullable<StepList['gate']>;
      const entered = { ...list, environment: { ...list.environment, window }, gate };
      const strict: Guardrails = { ...guardrails, windowMs: 2 * 3_600_000, noticeMs: 48 * 3_600_000 };
      expect(guardrailComplaints(entered, strict)).toEqual([]);
      const short = { ...window, lengthMs: 119 * 60_000, noticeMs: 47 * 3_600_000 };
      expect(
        guardrailComplaints({ ...entered, environment: { ...entered.environment, window: short } }, strict),
      ).toEqual([
        'window: the plan has a window of 1.98 h, this environment demands at least 2 h (gate: ' +
          'before-deploying: [window-open])',
        'notice: the plan gives 1.96 d of notice, this environment demands at least 2 d (gate: ' +
          'before-deploying: [notice-given])',
      ]);
      expect(
        guardrailComplaints({ ...entered, gate: { ...gate, beforeDeploying: [] } }, strict),
      ).toHaveLength(2);
      const pace = { nominalMs: 604_800_000, realMs: 60_000 };
      const compressed = {
        ...entered,
        pace,
        environment: {
          ...entered.environment,
          window: { ...window, noticeMs: (48 * 3_600_000 * 60) / 604_800 },
        },
      };
      expect(guardrailComplaints(compressed, { ...strict, pace: 'allowed' })).toEqual([]);
    },
  );
});
