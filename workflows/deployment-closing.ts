// The end of a deployment, whatever its outcome: every open rollout is closed and awaited, then the evidence
// is sealed.
import { allHandlersFinished, condition } from '@temporalio/workflow';
import { acceptedText, allAccepted } from '../src/core/accepted.ts';
import type { CloseEvidenceInput } from '../src/core/activities.ts';
import type { SealedEvidence } from '../src/core/evidence.ts';
import { deploymentWorkflowId, rolloutWorkflowId } from '../src/core/ids.ts';
import { controlActivities } from './activities.ts';
import type { DeploymentOutcome, DeploymentResult, RolloutResult } from './contract.ts';
import type { DeploymentState } from './deployment-state.ts';
import { untilDone } from './persist.ts';
import { show } from './progress.ts';
import { command } from './rollout-facts.ts';

const LAST_ANSWERS = '1m';
const LAST_EVENTS = '1m';

async function closeRollout(state: DeploymentState, environment: string): Promise<void> {
  const service = state.open.get(environment);
  if (service === undefined) return;
  await command(service, environment, { is: 'close' });
  await condition(() => state.results.has(environment));
}

/** Whatever the outcome: every open rollout is closed and awaited, then the evidence is sealed. */
export async function close(state: DeploymentState): Promise<DeploymentResult> {
  state.progress.phase = 'closing';
  for (const environment of [...state.open.keys()].reverse()) await closeRollout(state, environment);
  // The histories in the evidence are whole; a parent that ends first would also leave its child's outcome
  // without a reader.
  if (state.running.size > 0 && !(await condition(() => state.running.size === 0, LAST_EVENTS)))
    state.progress.notes.push(
      `not whole in the evidence: the history of ${[...state.running].join(', ')}, whose rollout has ` +
        'told its outcome but not ended',
    );
  const results = state.input.runs.flatMap(({ rollout: ref }) => state.results.get(ref.environment) ?? []);
  const { outcome, reason } = outcomeOfAll(state, results);
  const { start, runs } = state.input;
  const workflows = [
    deploymentWorkflowId(start.body.deployment),
    ...results.map((result) => rolloutWorkflowId(runs[0]!.rollout.service, result.environment)),
  ];
  const evidence = await sealed(state, {
    deployment: start.body.deployment,
    outcome,
    start,
    workflows,
    environments: results,
    refusals: { ...state.refusals, unreadable: state.progress.malformed },
    approvals: [...state.gates.values()].flatMap((gate) => [...gate.attestations, ...gate.approvals]),
  });
  state.progress.phase = outcome;
  state.progress.health = outcome === 'completed' ? 'good' : outcome === 'stuck' ? 'stuck' : 'ended';
  state.progress.notes.push(reason);
  state.progress.waiting = [];
  show(state.progress, state.lastSent);
  // Whoever has just sent something is still answered.
  if (!allHandlersFinished()) await condition(allHandlersFinished, LAST_ANSWERS);
  return {
    deployment: start.body.deployment,
    outcome,
    reason,
    environments: results.map(({ environment, outcome, accepted }) => ({
      environment,
      outcome,
      ...(accepted && { accepted }),
    })),
    evidence,
  };
}

/** Tried until it has worked: without its evidence a deployment is not closed. */
async function sealed(state: DeploymentState, input: CloseEvidenceInput): Promise<SealedEvidence> {
  const { environment } = state.input.runs[0]!.rollout;
  const { asker } = state.gates.get(environment)!;
  const what = 'close the evidence';
  const evidence = await untilDone({ asker, environment: null, what }, () =>
    controlActivities(what, state.input.timing).closeEvidence(input),
  );
  return evidence!;
}

/**
 * The worst that any environment came to; one that rolled back is never hidden behind a later one that
 * stopped.
 */
function outcomeOfAll(
  state: DeploymentState,
  results: readonly RolloutResult[],
): { outcome: DeploymentOutcome; reason: string } {
  const stuck = results.find((result) => result.outcome === 'stuck');
  if (stuck) return { outcome: 'stuck', reason: `${stuck.environment}: ${stuck.differences.join('; ')}` };
  const restored = results.find((result) => result.outcome === 'restored');
  if (restored && state.ended?.outcome !== 'rolled-back')
    return { outcome: 'rolled-back', reason: `${restored.environment}: ${restored.reason}` };
  const ended = state.ended ?? { outcome: 'failed', reason: 'ended without a reason' };
  const accepted = acceptedText(allAccepted(results));
  if (accepted === '') return ended;
  const how = ended.outcome === 'completed' ? 'every environment came to its end' : ended.reason;
  return { ...ended, reason: `${how}, with ${accepted}` };
}
