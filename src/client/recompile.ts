// What a signed start says, computed again from its plan: whoever takes it in need not believe its hashes.
import type { StartBody, SignedStart } from '../core/messages.ts';
import { failures } from '../core/failures.ts';
import type { RolloutRef } from '../core/ids.ts';
import { parsePlan, renderComplaint } from '../core/plan/parse.ts';
import type { Plan } from '../core/plan/plan.ts';
import { aboutLines } from '../core/plan/about.ts';
import { compileSteps } from '../core/compile.ts';
import type { StepList } from '../core/step-list.ts';
import { hashJson } from '../io/trust.ts';
import type { DeploymentInput } from '../../workflows/contract.ts';
import { Problem } from './problem.ts';
import { alsoFault } from '../core/start-signers.ts';
import { rolloutHash } from '../io/rollout-hash.ts';

/**
 * What the workflow is started with, computed from the signed start alone. @throws Problem with all
 * complaints about its plan.
 */
export function deploymentInput(start: SignedStart): DeploymentInput {
  return { start, runs: runsOf(start.body, planOf(start.body)) };
}

const SIGN_ANEW = 'begin with soakgate start PLAN --print, then soakgate sign';

/** A signed start whose plan was read once: nothing of it need be parsed again to start it. */
export interface CheckedStart {
  readonly input: DeploymentInput;
  /** What the plan says about itself, one line each. */
  readonly about: readonly string[];
}

/**
 * The same for a start that comes from elsewhere. @throws Problem when plan and steps are not those that were
 * signed.
 */
export function checkedStart(start: SignedStart): CheckedStart {
  const fault = alsoFault(start);
  if (fault !== null)
    throw new Problem('usage', `the signed start is refused: ${fault}`, SIGN_ANEW, {
      failure: 'PERMIT_REFUSED',
    });
  const { body } = start;
  const plan = planOf(body);
  const runs = runsOf(body, plan);
  const wrong = [
    ...(hashJson(plan) === body.plan ? [] : ['plan: the plan differs from the signed plan']),
    ...runs
      .filter(({ rollout }) => body.lists[rollout.environment] !== rollout.list)
      .map(
        ({ rollout }) =>
          `lists.${rollout.environment}: the steps differ from what plan, commit, files and pace compile to`,
      ),
    ...Object.keys(body.lists)
      .filter((name) => !runs.some(({ rollout }) => rollout.environment === name))
      .map((name) => `lists.${name}: the plan has no such environment`),
  ];
  if (wrong.length === 0) return { input: { start, runs }, about: aboutLines(plan) };
  // The environment's worker would refuse it with this code, but only after it had been started.
  throw new Problem('usage', 'the signed start does not match its plan', failures.PERMIT_REFUSED.remedy, {
    details: wrong,
    failure: 'PERMIT_REFUSED',
  });
}

function planOf({ planText, planFile }: StartBody): Plan {
  const parsed = parsePlan(planText, planFile);
  if ('plan' in parsed) return parsed.plan;
  throw new Problem(
    'usage',
    'the plan in the signed start is not valid',
    'correct it, see docs/plan.md, and sign it again',
    {
      details: parsed.complaints.map(renderComplaint),
    },
  );
}

function runsOf(body: StartBody, plan: Plan): DeploymentInput['runs'] {
  return plan.environments.map(({ name }) => {
    const list: StepList = compileSteps({
      plan,
      environment: name,
      commit: body.commit,
      files: body.files,
      pace: body.pace,
    });
    const rollout: RolloutRef = {
      deployment: body.deployment,
      service: plan.service,
      environment: name,
      list: hashJson(list),
      hash: rolloutHash(body.deployment, name),
    };
    return { list, rollout };
  });
}
