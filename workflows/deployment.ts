// One deployment, top to bottom: for each environment gate → permit → rollout; then everything is closed and sealed.
import {
  allHandlersFinished,
  CancellationScope,
  ChildWorkflowCancellationType,
  condition,
  isCancellation,
  ParentClosePolicy,
  setHandler,
  startChild,
  defineQuery,
  getExternalWorkflowHandle,
} from '@temporalio/workflow';
import type { EnvironmentOutcome } from '../src/core/activities.ts';
import type { SealedGateReport } from '../src/core/messages.ts';
import { deploymentWorkflowId, environmentQueue, rolloutWorkflowId } from '../src/core/names.ts';
import { type DeploymentState, setStep, outcomeOf, setWaiting } from './deployment-state.ts';
import type {
  Command,
  DeploymentInput,
  DeploymentOutcome,
  DeploymentResult,
  EnvironmentRun,
  Fact,
  RolloutResult,
} from './contract.ts';
import { commandSignal, factSignal } from './rollout-inbox.ts';
import { throughGate } from './gate-entry.ts';
import { type Gate, newGate, voidGateReport } from './gate.ts';
import { openMessages } from './messages.ts';
import { answerMessage } from './message-routing.ts';
import { type Progress, progressQuery, show } from './progress.ts';
import { controlActivities } from './activities.ts';
import { rollout } from './rollout.ts';

export const gateReportQuery = defineQuery<SealedGateReport | null, [string]>('gateReport');

const LAST_ANSWERS = '1m';
const LAST_EVENTS = '1m';

export async function deployment(input: DeploymentInput): Promise<DeploymentResult> {
  const state = openState(input);
  const scope = new CancellationScope({ cancellable: true });
  try {
    await scope.run(() => enterAll(state));
  } catch (error) {
    if (!isCancellation(error)) throw error;
    state.ended ??= { outcome: 'rolled-back', reason: 'cancelled in Temporal: an unsigned abort' };
  }
  return CancellationScope.nonCancellable(() => close(state));
}

/** State first, then all handlers, before anything is awaited. */
function openState(input: DeploymentInput): DeploymentState {
  const { body } = input.start;
  const progress: Progress = {
    title: body.deployment,
    phase: 'starting',
    health: 'good',
    waitingFor: null,
    next: null,
    notes: [],
    lines: input.runs.map(({ rollout: ref }) => ({
      name: ref.environment,
      kind: 'environment',
      state: 'waiting',
      summary: '',
      tookMs: null,
    })),
  };
  const state: DeploymentState = {
    input,
    progress,
    lastSent: { of: { service: input.runs[0]?.rollout.service ?? '', environment: 'all' } },
    gates: new Map(),
    open: new Map(),
    running: new Set(),
    soaked: new Map(),
    results: new Map(),
    answered: new Map(),
    ended: null,
    voided: null,
    wantsChange: new Set(),
    waits: new Map(),
    aborted: null,
  };
  for (const run of input.runs) state.gates.set(run.rollout.environment, newGate(run, input.start));
  setHandler(progressQuery, () => state.progress, {
    description: 'Where the deployment is: environments, waiting reason, next command',
  });
  setHandler(gateReportQuery, (environment) => state.gates.get(environment)?.gateReport ?? null, {
    description: 'The sealed gate report of an environment (its name as JSON)',
  });
  setHandler(factSignal, (fact) => takeFact(state, fact), {
    description: 'From a rollout of this deployment',
  });
  openMessages((signed) => answerMessage(state, signed));
  show(progress, state.lastSent);
  return state;
}

async function enterAll(state: DeploymentState): Promise<void> {
  for (const [place, run] of state.input.runs.entries()) {
    const gate = state.gates.get(run.rollout.environment)!;
    const permit = await throughGate(state, gate, place);
    if (!permit) return;
    await throughRollout(
      state,
      run,
      { run, permit, timing: state.input.timing ?? {}, asksBeforeChange: place > 0 },
      place,
    );
    if (state.ended) return;
  }
  state.ended = { outcome: 'completed', reason: 'every environment passed' };
}

/** Starts the rollout and waits until its soak has passed (the next gate may be asked) or it has ended. */
async function throughRollout(
  state: DeploymentState,
  run: EnvironmentRun,
  child: Parameters<typeof rollout>[0],
  place: number,
): Promise<void> {
  const { environment, service } = run.rollout;
  state.progress.phase = environment;
  setStep(state, environment, 'running', '');
  await startRollout(state, run, child);
  const previous = state.input.runs[place - 1]?.rollout.environment;
  if (previous !== undefined) {
    await handOver(state, previous, environment, service);
  }
  await condition(() => state.soaked.has(environment) || state.results.has(environment));
  const result = state.results.get(environment);
  if (result && result.outcome !== 'passed')
    state.ended = { outcome: outcomeOf(result), reason: `${environment}: ${result.reason}` };
}

/** The earlier environment is closed before the first change in this one; what voided its soak voids this permit. */
async function handOver(
  state: DeploymentState,
  previous: string,
  environment: string,
  service: string,
): Promise<void> {
  const stands = () =>
    state.soaked.has(previous) && (state.results.get(previous)?.outcome ?? 'passed') === 'passed';
  await condition(
    () =>
      state.wantsChange.has(environment) ||
      state.results.has(environment) ||
      state.soaked.has(environment) ||
      !stands(),
  );
  if (stands() && state.wantsChange.has(environment)) {
    await command(state.open.get(previous) ?? service, previous, { is: 'close' });
    await condition(() => state.results.has(previous) || !stands());
  }
  if (state.results.has(environment)) return;
  if (stands()) await command(service, environment, { is: 'proceed' });
  else
    await command(service, environment, {
      is: 'stop',
      why: `the permit is void: ${state.voided ?? `${previous} has not passed`}`,
    });
}

async function startRollout(
  state: DeploymentState,
  run: EnvironmentRun,
  input: Parameters<typeof rollout>[0],
): Promise<void> {
  const { environment, service, deployment: name } = run.rollout;
  try {
    const handle = await startChild(rollout, {
      workflowId: rolloutWorkflowId(service, environment),
      args: [input],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      staticSummary: `${service} → ${environment} (${name})`,
      staticDetails: `Steps run on queue \`${environmentQueue(environment)}\`; deployment \`${deploymentWorkflowId(name)}\`.`,
    });
    state.open.set(environment, service);
    state.running.add(environment);
    const over = handle.result().finally(() => state.running.delete(environment));
    over.catch((error: unknown) => {
      // Terminated or failed from outside: its outcome will come by signal once somebody has recovered it.
      if (state.results.has(environment)) return;
      state.progress.health = 'troubled';
      setWaiting(
        state,
        environment,
        `the rollout in ${environment}, which was ended from outside (${(error as Error).message})`,
        `soakgate recover ${name}`,
      );
    });
  } catch (error) {
    if (isCancellation(error)) throw error;
    const result: RolloutResult = {
      environment,
      outcome: 'failed',
      reason: `another rollout of ${service} is open in ${environment}: ${(error as Error).message}`,
      receipts: [],
      undos: [],
      differences: [],
      soak: null,
    };
    takeFact(state, { is: 'ended', environment, result });
  }
}

function takeFact(state: DeploymentState, fact: Fact): void {
  if (fact.is === 'answered') state.answered.set(fact.nonce, { accepted: fact.accepted, text: fact.text });
  else if (fact.is === 'aboutToChange') state.wantsChange.add(fact.environment);
  else if (fact.is === 'waiting')
    setWaiting(
      state,
      fact.environment,
      fact.reason && `${fact.environment}: ${fact.reason}`,
      fact.reason && `soakgate status ${state.input.start.body.deployment}`,
    );
  else if (fact.is === 'soakPassed') {
    state.soaked.set(fact.environment, fact.outcome);
    offer(state, fact.environment, fact.outcome);
    setStep(state, fact.environment, 'pass', 'soak passed; measuring goes on');
  } else if (fact.is === 'soakVoided') {
    state.soaked.delete(fact.environment);
    state.voided = fact.why;
    const next = nextGate(state, fact.environment);
    if (next) voidGateReport(next);
    state.progress.notes.push(`the gate report is void: ${fact.why}`);
  } else end(state, fact.result);
}

function end(state: DeploymentState, result: RolloutResult): void {
  state.results.set(result.environment, result);
  state.open.delete(result.environment);
  state.waits.delete(result.environment);
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
  gate.before = outcome;
  gate.revision += 1;
}

async function command(service: string, environment: string, content: Command): Promise<void> {
  await getExternalWorkflowHandle(rolloutWorkflowId(service, environment))
    .signal(commandSignal, content)
    .catch(() => undefined);
}

async function closeRollout(state: DeploymentState, environment: string): Promise<void> {
  const service = state.open.get(environment);
  if (service === undefined) return;
  await command(service, environment, { is: 'close' });
  await condition(() => state.results.has(environment));
}

/** Whatever the outcome: every open rollout is closed and awaited, then the evidence is sealed. */
async function close(state: DeploymentState): Promise<DeploymentResult> {
  state.progress.phase = 'closing';
  for (const environment of [...state.open.keys()].reverse()) await closeRollout(state, environment);
  // The histories in the evidence are whole; a parent that ends first would also leave its child's outcome without a reader.
  if (state.running.size > 0 && !(await condition(() => state.running.size === 0, LAST_EVENTS)))
    state.progress.notes.push(
      `not whole in the evidence: the history of ${[...state.running].join(', ')}, whose rollout has told its outcome but not ended`,
    );
  const results = state.input.runs.flatMap(({ rollout: ref }) => state.results.get(ref.environment) ?? []);
  const { outcome, reason } = outcomeOfAll(state, results);
  const { start, runs } = state.input;
  const workflows = [
    deploymentWorkflowId(start.body.deployment),
    ...results.map((result) => rolloutWorkflowId(runs[0]!.rollout.service, result.environment)),
  ];
  const evidence = await controlActivities('close the evidence').closeEvidence({
    deployment: start.body.deployment,
    outcome,
    start,
    workflows,
    environments: results,
    approvals: [...state.gates.values()].flatMap((gate) => [...gate.attestations, ...gate.approvals]),
  });
  state.progress.phase = outcome;
  state.progress.health = outcome === 'completed' ? 'good' : outcome === 'stuck' ? 'stuck' : 'ended';
  state.progress.notes.push(reason);
  state.waits.clear();
  Object.assign(state.progress, { waitingFor: null, next: null });
  show(state.progress, state.lastSent);
  // Whoever has just sent something is still answered.
  if (!allHandlersFinished()) await condition(allHandlersFinished, LAST_ANSWERS);
  return {
    deployment: start.body.deployment,
    outcome,
    reason,
    environments: results.map(({ environment, outcome }) => ({ environment, outcome })),
    evidence,
  };
}

/** The worst that any environment came to; one that rolled back is never hidden behind a later one that stopped. */
function outcomeOfAll(
  state: DeploymentState,
  results: readonly RolloutResult[],
): { outcome: DeploymentOutcome; reason: string } {
  const stuck = results.find((result) => result.outcome === 'stuck');
  if (stuck) return { outcome: 'stuck', reason: `${stuck.environment}: ${stuck.differences.join('; ')}` };
  const restored = results.find((result) => result.outcome === 'restored');
  if (restored && state.ended?.outcome !== 'rolled-back')
    return { outcome: 'rolled-back', reason: `${restored.environment}: ${restored.reason}` };
  return state.ended ?? { outcome: 'failed', reason: 'ended without a reason' };
}
