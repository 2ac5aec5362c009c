// What a deployment takes from its rollouts, and what it tells them.
import { getExternalWorkflowHandle, patched } from '@temporalio/workflow';
import type { EnvironmentOutcome } from '../src/core/activities.ts';
import { rolloutWorkflowId } from '../src/core/ids.ts';
import type { Command, Fact, RolloutResult } from './contract.ts';
import { type DeploymentState, setStep, setWaiting } from './deployment-state.ts';
import { type Gate, voidGateReport } from './gate.ts';
import { countMalformed } from './messages.ts';
import { commandSignal } from './rollout-inbox.ts';
import { isFact } from './shapes.ts';

/** What cannot be read, or is about no environment of this deployment, is counted and changes nothing. */
export function receiveFact(state: DeploymentState, fact: unknown): void {
  if (!isFact(fact) || !concerns(state, fact)) countMalformed(state.progress);
  else if (fact.is === 'ended' && patched('ended-by-its-own-run')) takeTold(state, fact.result);
  else takeFact(state, fact);
}

/**
 * An end that a signal tells is anybody's word. While the rollout's own run goes on, that says it in a moment; where it
 * was ended from outside, the word counts, and it says so unless a worker has stated the end.
 */
function takeTold(state: DeploymentState, result: RolloutResult): void {
  const { environment, reason, closing } = result;
  // Nothing has ended that this deployment has not begun.
  if (!state.open.has(environment) || state.running.has(environment) || state.results.has(environment))
    return;
  if (closing) return takeFact(state, { is: 'ended', environment, result });
  // Nobody's word makes it better than it may be.
  const outcome = result.outcome === 'passed' ? 'stuck' : result.outcome;
  const told = `${reason} (unsigned: no worker has stated this end)`;
  takeFact(state, { is: 'ended', environment, result: { ...result, outcome, reason: told } });
}

function concerns({ begun }: DeploymentState, fact: Fact): boolean {
  if (fact.is === 'answered' || fact.is === 'dropped') return true;
  const own = fact.is !== 'ended' || fact.result.environment === fact.environment;
  return own && begun.has(fact.environment);
}

export function takeFact(state: DeploymentState, fact: Fact): void {
  if (fact.is === 'answered') {
    const { nonce, accepted, text, known } = fact;
    state.answered.set(nonce, { accepted, text, ...(known && { known }) });
  } else if (fact.is === 'dropped')
    for (const { nonce, why } of fact.answers)
      state.answered.set(nonce, { accepted: false, text: `refused: ${why}` });
  else if (fact.is === 'aboutToChange') state.wantsChange.add(fact.environment);
  else if (fact.is === 'waiting') setWaiting(state, 'rollout', fact.environment, fact.waiting);
  else if (fact.is === 'soakPassed') {
    state.soaked.set(fact.environment, fact.outcome);
    offer(state, fact.environment, fact.outcome);
    setStep(state, fact.environment, 'pass', 'soak passed; still monitoring');
  } else if (fact.is === 'soakVoided') {
    state.soaked.delete(fact.environment);
    const line = state.progress.lines.find(({ name }) => name === fact.environment);
    if (line) Object.assign(line, { state: 'running', summary: `its soak no longer counts: ${fact.why}` });
    state.voided = fact.why;
    const next = nextGate(state, fact.environment);
    if (next) voidGateReport(next);
    state.progress.notes.push(`the gate report is void: ${fact.why}`);
  } else end(state, fact.result);
}

function end(state: DeploymentState, result: RolloutResult): void {
  state.results.set(result.environment, result);
  state.open.delete(result.environment);
  setWaiting(state, 'rollout', result.environment, null);
  const mark = result.outcome === 'passed' ? 'pass' : result.outcome === 'restored' ? 'undone' : 'fail';
  setStep(state, result.environment, mark, `${result.outcome}: ${result.reason}`);
}

function nextGate(state: DeploymentState, environment: string): Gate | undefined {
  const place = state.input.runs.findIndex((run) => run.rollout.environment === environment);
  const next = state.input.runs[place + 1];
  return next && state.gates.get(next.rollout.environment);
}

function offer(state: DeploymentState, environment: string, outcome: EnvironmentOutcome): void {
  const gate = nextGate(state, environment);
  if (!gate) return;
  // What was sealed on another outcome no longer holds.
  if (gate.gateReport) voidGateReport(gate);
  gate.before = outcome;
  gate.revision += 1;
}

/** Tells a rollout; one that was ended from outside is not told. */
export async function command(service: string, environment: string, content: Command): Promise<void> {
  await getExternalWorkflowHandle(rolloutWorkflowId(service, environment))
    .signal(commandSignal, content)
    .catch(() => undefined);
}
