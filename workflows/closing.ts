// How a rollout is closed: nothing that fails here may leave it open without a word.
import { deploymentWorkflowId, rolloutWorkflowId } from '../src/core/ids.ts';
import type { ClosingStatement, SignedStatement } from '../src/core/statements.ts';
import { controlActivities, environmentActivities } from './activities.ts';
import type { RolloutOutcome, RolloutResult } from './contract.ts';
import { untilDone } from './persist.ts';
import { type RolloutState, setWaiting } from './rollout-state.ts';

/** `stuck` is closed, too: a person has signed `leave-as-is`, and the next preflight says so. */
export async function closeRollout(
  state: RolloutState,
  outcome: RolloutOutcome,
): Promise<SignedStatement<ClosingStatement> | null> {
  const { run, timing } = state.input;
  const { environment } = run.rollout;
  setWaiting(state, { kind: 'closing', environment });
  const closed = await untilDone(
    { asker: state.asker, environment, what: 'close the rollout', orElse: 'leave-as-is' },
    async () => {
      const called = await environmentActivities(
        environment,
        'close the rollout',
        timing,
        'close',
      ).closeRollout({
        rollout: run.rollout,
        outcome,
      });
      return 'ok' in called ? { ok: { closing: called.ok } } : called;
    },
  );
  if (closed === null) state.progress.notes.push('not closed; decided: leave-as-is');
  setWaiting(state, null);
  return closed?.closing ?? null;
}

/** The deployment is gone (terminated, or this run was reset): its evidence is closed from here. */
export async function closeEvidenceAlone(state: RolloutState, result: RolloutResult): Promise<void> {
  const { run, permit, timing } = state.input;
  const { deployment, environment, service } = run.rollout;
  const what = 'close the evidence without the deployment';
  await untilDone({ asker: state.asker, environment, what }, () =>
    controlActivities(what, timing).closeEvidence({
      deployment,
      outcome: result.outcome,
      start: permit.start,
      workflows: [deploymentWorkflowId(deployment), rolloutWorkflowId(service, environment)],
      environments: [result],
      approvals: [],
    }),
  );
}
