// The way into one environment: through its gate, and then when its window is open.
import { condition } from '@temporalio/workflow';
import type { GateAnswer } from '../src/core/gate-question.ts';
import { NOTICE } from '../src/core/gate.ts';
import type { Permit } from '../src/core/messages.ts';
import { environmentActivities } from './activities.ts';
import type { DeploymentOutcome } from './contract.ts';
import { type DeploymentState, outcomeOf, setWaiting } from './deployment-state.ts';
import { type Gate, passGate } from './gate.ts';
import { backoffMs } from './persist.ts';
import { dropUncounted } from './verify-at-gate.ts';

const LEAST_WAIT_MS = 1_000;

/** The permit, or null when there is no way in; then the deployment has its outcome. */
export async function throughGate(state: DeploymentState, gate: Gate, place: number): Promise<Permit | null> {
  const { environment } = gate.run.rollout;
  const previous = state.input.runs[place - 1]?.rollout.environment;
  state.progress.phase = `gate of ${environment}`;
  const leave = () =>
    state.aborted ??
    (previous && state.results.has(previous) ? `${previous} ended before the gate opened` : null);
  const told = ({ open, waiting: missing }: GateAnswer) =>
    setWaiting(state, 'gate', environment, open ? null : { kind: 'gate', environment, missing });
  let outcome = await passGate(gate, place === 0, leave, told);
  // What voids the gate report or an approval while the window is waited for leads back to the gate.
  const mayEnter = async () =>
    (await mayDeploy(state, gate, leave)) && !(await dropUncounted(state, gate)) && gate.rejecting === 0;
  while ('permit' in outcome && !(await mayEnter())) outcome = await passGate(gate, place === 0, leave, told);
  setWaiting(state, 'gate', environment, null);
  gate.entered = 'permit' in outcome;
  if ('permit' in outcome) return outcome.permit;
  if (outcome.shut === 'left') state.ended ??= ofResult(state, previous, outcome.why);
  else state.ended = { outcome: outcome.shut, reason: outcome.why };
  return null;
}

/**
 * Waits for the window; false when the gate has to be asked again. The environment's worker asks for itself
 * when it opens the rollout.
 */
async function mayDeploy(state: DeploymentState, gate: Gate, leave: () => string | null): Promise<boolean> {
  const { list, rollout } = gate.run;
  const { environment, deployment } = rollout;
  const facts = list.gate?.beforeDeploying ?? [];
  if (facts.length === 0) return true;
  for (let failures = 0; ;) {
    const seen = gate.revision;
    const called = await environmentActivities(
      environment,
      'may it be deployed to now?',
      state.input.timing,
      'beforeDeploying',
    ).beforeDeploying({
      deployment,
      facts,
      noticeBy: noticeGivers(gate),
      window: list.environment.window ?? null,
    });
    const changed = () => gate.revision !== seen || leave() !== null;
    let waitMs: number | null;
    let why: string;
    if ('failed' in called) {
      // Nobody knows whether the window is open: it stays shut, and the environment before it stays as it is.
      failures += 1;
      why = called.failed.text;
      waitMs = backoffMs(gate.asker, failures);
      setWaiting(state, 'gate', environment, {
        kind: 'failing',
        environment,
        what: 'the check before deploying',
        why,
      });
    } else {
      failures = 0;
      ({ waitMs, why } = called.ok);
      if (called.ok.open) return gate.revision === seen;
      setWaiting(state, 'gate', environment, { kind: 'before-deploying', environment, why });
    }
    if (waitMs === null) await condition(changed);
    else await condition(changed, Math.max(waitMs, LEAST_WAIT_MS), { summary: `${environment}: ${why}` });
    if (changed()) return false;
  }
}

/** Only for waiting: the environment finds them for itself when it opens the rollout. */
function noticeGivers({ run, attestations }: Gate): readonly string[] {
  const wanted = run.list.gate?.attested.find(({ id }) => id === NOTICE);
  return attestations.flatMap(({ signed, roles }) =>
    wanted && signed.body['attestation'] === wanted.id && roles.includes(wanted.role) ? [signed.person] : [],
  );
}

function ofResult(
  state: DeploymentState,
  environment: string | undefined,
  why: string,
): { outcome: DeploymentOutcome; reason: string } {
  const result = environment === undefined ? undefined : state.results.get(environment);
  return result ? { outcome: outcomeOf(result), reason: result.reason } : { outcome: 'failed', reason: why };
}
