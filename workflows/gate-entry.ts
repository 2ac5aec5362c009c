// The way into one environment: through its gate, and then when its window is open.
import { condition } from '@temporalio/workflow';
import type { GateAnswer } from '../src/core/activities.ts';
import { NOTICE } from '../src/core/gate.ts';
import { type DeploymentState, gateOf, outcomeOf, setWaiting } from './deployment-state.ts';
import type { DeploymentOutcome } from './contract.ts';
import { type Gate, passGate } from './gate.ts';
import { environmentActivities } from './activities.ts';

const LEAST_WAIT_MS = 1_000;

/** The permit, or null when there is no way in; then the state has its outcome. */
export async function throughGate(state: DeploymentState, gate: Gate, place: number) {
  const { environment } = gate.run.rollout;
  const previous = state.input.runs[place - 1]?.rollout.environment;
  state.progress.phase = `gate of ${environment}`;
  const leave = () =>
    state.aborted ??
    (previous && state.results.has(previous) ? `${previous} ended before the gate opened` : null);
  const told = ({ open, waiting }: GateAnswer) =>
    open
      ? setWaiting(state, gateOf(environment), null, null)
      : setWaiting(
          state,
          gateOf(environment),
          `the gate of ${environment}: ${waiting.join('; ')}`,
          nextAtGate(state, environment, waiting),
        );
  let outcome = await passGate(gate, place === 0, leave, told);
  // What voids the gate report while the window is waited for leads back to the gate.
  while ('permit' in outcome && !(await mayEnter(state, gate, leave)))
    outcome = await passGate(gate, place === 0, leave, told);
  setWaiting(state, gateOf(environment), null, null);
  if ('permit' in outcome) return outcome.permit;
  if (outcome.shut === 'left') state.ended ??= ofResult(state, previous, outcome.why);
  else state.ended = { outcome: outcome.shut, reason: outcome.why };
  return null;
}

/** Waits for the window; false when the gate has to be asked again. The environment's worker asks for itself when it is entered. */
async function mayEnter(state: DeploymentState, gate: Gate, leave: () => string | null): Promise<boolean> {
  const { list, rollout } = gate.run;
  const facts = list.gate?.beforeDeploying ?? [];
  if (facts.length === 0) return true;
  for (;;) {
    const seen = gate.revision;
    const { open, waitMs, why } = await environmentActivities(
      rollout.environment,
      'may it be entered now?',
      15_000,
    ).beforeDeploying({
      deployment: rollout.deployment,
      facts,
      noticeBy: noticeGivers(gate),
      window: list.environment.window ?? null,
    });
    if (open) return gate.revision === seen;
    setWaiting(state, gateOf(rollout.environment), `${rollout.environment}: ${why}`, null);
    const changed = () => gate.revision !== seen || leave() !== null;
    if (waitMs === null) await condition(changed);
    else
      await condition(changed, Math.max(waitMs, LEAST_WAIT_MS), {
        summary: `${rollout.environment}: ${why}`,
      });
    if (changed()) return false;
  }
}

/** Only for waiting: the environment finds them for itself when it is entered. */
function noticeGivers({ run, attestations }: Gate): readonly string[] {
  const wanted = run.list.gate?.attested.find(({ id }) => id === NOTICE);
  return attestations.flatMap(({ signed, roles }) =>
    wanted && signed.body['attestation'] === wanted.id && roles.includes(wanted.role) ? [signed.person] : [],
  );
}

/** What somebody can do now: an attestation that is missing first, then an approval; nothing while facts are missing. */
function nextAtGate(state: DeploymentState, environment: string, waiting: readonly string[]): string | null {
  const name = state.input.start.body.deployment;
  const attestation = waiting.find((line) => line.startsWith('attestation '))?.split(' ')[1];
  if (attestation !== undefined) return `soakgate attest ${name} ${environment} ${attestation}`;
  return waiting.some((line) => line.startsWith('sealed facts'))
    ? `soakgate status ${name}`
    : `soakgate approve ${name} ${environment}`;
}

function ofResult(
  state: DeploymentState,
  environment: string | undefined,
  why: string,
): { outcome: DeploymentOutcome; reason: string } {
  const result = environment === undefined ? undefined : state.results.get(environment);
  return result ? { outcome: outcomeOf(result), reason: result.reason } : { outcome: 'failed', reason: why };
}
