// How a rollout is closed: nothing that fails here may leave it open without a word.
import { patched } from '@temporalio/workflow';
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
  const left = closed === null && patched('left-is-closed-as-stuck') ? await closeAsLeft(state) : null;
  setWaiting(state, null);
  return closed?.closing ?? left;
}

/** People have signed that it stays as it is: the next deployment is told so, and not that this one is still open. */
async function closeAsLeft(state: RolloutState): Promise<SignedStatement<ClosingStatement> | null> {
  const { run, timing } = state.input;
  const { environment } = run.rollout;
  const called = await environmentActivities(environment, 'close as left', timing, 'close').closeRollout({
    rollout: run.rollout,
    outcome: 'stuck',
  });
  if ('ok' in called) return called.ok;
  state.progress.notes.push(`still open here: ${called.failed.text}`);
  return null;
}

/** What a rollout came to, when it could only be closed as left. */
export const asClosed = (
  ended: RolloutResult,
  closing: SignedStatement<ClosingStatement> | null,
): RolloutResult => ({
  ...ended,
  ...(closing && { closing }),
  ...(closing?.body.outcome === 'stuck' &&
    ended.outcome !== 'stuck' && {
      outcome: 'stuck',
      differences: [
        ...ended.differences,
        `it could not be closed as ${ended.outcome}, and was left as it is`,
      ],
    }),
});

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
      refusals: { ...state.inbox.refusals, unreadable: state.progress.malformed },
    }),
  );
}
