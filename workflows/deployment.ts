// One deployment, top to bottom: for each environment gate → permit → rollout; then everything is closed and
// sealed.
import {
  CancellationScope,
  ChildWorkflowCancellationType,
  condition,
  defineQuery,
  isCancellation,
  ParentClosePolicy,
  setHandler,
  startChild,
} from '@temporalio/workflow';
import type { SealedGateReport } from '../src/core/messages.ts';
import { deploymentWorkflowId, environmentQueue, rolloutWorkflowId } from '../src/core/ids.ts';
import { noRefusals } from '../src/core/refused.ts';
import type {
  DeploymentInput,
  DeploymentResult,
  EnvironmentRun,
  RolloutInput,
  RolloutResult,
} from './contract.ts';
import { close } from './deployment-closing.ts';
import { type DeploymentState, outcomeOf, setStep, setWaiting } from './deployment-state.ts';
import { type Gate, newGate } from './gate.ts';
import { throughGate } from './gate-entry.ts';
import { answerMessage, dropMessage, noteArrival } from './message-routing.ts';
import { openMessages } from './messages.ts';
import { dropUncounted } from './verify-at-gate.ts';
import { openInput } from './open-input.ts';
import { newProgress, progressQuery, show } from './progress.ts';
import { rollout } from './rollout.ts';
import { command, receiveFact, takeFact } from './rollout-facts.ts';
import { factSignal } from './rollout-inbox.ts';
import { isDeploymentInput } from './shapes.ts';
import { sifter } from './sifting.ts';

export const gateReportQuery = defineQuery<SealedGateReport | null, [string]>('gateReport');

export async function deployment(input: DeploymentInput): Promise<DeploymentResult> {
  const state = openInput(input, isDeploymentInput, openState);
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
  const progress = newProgress(
    { title: body.deployment, deployment: body.deployment, of: 'deployment', phase: 'starting' },
    input.runs.map(({ rollout: ref }) => ({ name: ref.environment, kind: 'environment' })),
  );
  const state: DeploymentState = {
    input,
    progress,
    lastSent: { of: { service: input.runs[0]?.rollout.service ?? '', environment: 'all' } },
    gates: new Map(),
    begun: new Set(),
    open: new Map(),
    running: new Set(),
    soaked: new Map(),
    results: new Map(),
    answered: new Map(),
    wantsChange: new Set(),
    rolloutWaits: new Map(),
    gateWaits: new Map(),
    refusals: noRefusals(),
    ended: null,
    voided: null,
    aborted: null,
  };
  for (const run of input.runs) {
    const { environment } = run.rollout;
    const gate = newGate(run, input, async (waiting) => setWaiting(state, 'gate', environment, waiting));
    state.gates.set(environment, gate);
  }
  setHandler(progressQuery, () => state.progress, {
    description: 'Where the deployment is: environments, and what it waits for',
  });
  setHandler(gateReportQuery, (environment) => state.gates.get(environment)?.gateReport ?? null, {
    description: 'The sealed gate report of an environment (its name as JSON)',
  });
  setHandler(factSignal, (fact) => receiveFact(state, fact), {
    description: 'From a rollout of this deployment',
  });
  openMessages(progress, {
    work: (signed) => answerMessage(state, signed),
    sift: (environment) =>
      state.gates.has(environment) ? sifter(body.deployment, environment, input.timing) : null,
    arrived: (signed) => noteArrival(state, signed),
    dropped: (signed, why) => dropMessage(state, signed, why),
  });
  show(progress, state.lastSent);
  return state;
}

async function enterAll(state: DeploymentState): Promise<void> {
  for (const [place, run] of state.input.runs.entries()) {
    const gate = state.gates.get(run.rollout.environment)!;
    do {
      const permit = await throughGate(state, gate, place);
      if (!permit) return;
      await throughRollout(
        state,
        run,
        { run, permit, timing: state.input.timing ?? {}, asksBeforeChange: place > 0 },
        place,
      );
    } while (await backToGate(state, gate));
    if (state.ended) return;
  }
  state.ended = { outcome: 'completed', reason: 'every environment passed' };
}

/** A permit that was refused because somebody no longer counts leads back to the gate, which asks for it again. */
async function backToGate(state: DeploymentState, gate: Gate): Promise<boolean> {
  const { environment } = gate.run.rollout;
  const result = state.results.get(environment);
  if (!result?.permitRefused || !(await dropUncounted(state, gate))) return false;
  state.results.delete(environment);
  state.ended = null;
  gate.entered = false;
  state.progress.notes.push(`${environment}: ${result.reason}; its gate asks again`);
  setStep(state, environment, 'waiting', '');
  return true;
}

/** Starts the rollout and waits until its soak has passed (the next gate may be asked) or it has ended. */
async function throughRollout(
  state: DeploymentState,
  run: EnvironmentRun,
  child: RolloutInput,
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

/**
 * The earlier environment is closed before the first change in this one; what voided its soak voids this
 * permit.
 */
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
  const earlier = state.results.get(previous)?.closing;
  if (stands()) await command(service, environment, { is: 'proceed', ...(earlier && { earlier }) });
  else
    await command(service, environment, {
      is: 'stop',
      why: `the permit is void: ${state.voided ?? `${previous} has not passed`}`,
    });
}

async function startRollout(state: DeploymentState, run: EnvironmentRun, input: RolloutInput): Promise<void> {
  const { environment, service, deployment: name } = run.rollout;
  state.begun.add(environment);
  try {
    const handle = await startChild(rollout, {
      workflowId: rolloutWorkflowId(service, environment),
      args: [input],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      staticSummary: `${service} → ${environment} (${name})`,
      staticDetails:
        `Steps run on queue \`${environmentQueue(environment)}\`; deployment ` +
        `\`${deploymentWorkflowId(name)}\`.`,
    });
    state.open.set(environment, service);
    state.running.add(environment);
    const over = handle.result().finally(() => state.running.delete(environment));
    const took = over.then((result) => {
      if (!state.results.has(environment)) takeFact(state, { is: 'ended', environment, result });
    });
    took.catch((error: unknown) => {
      // Terminated or failed from outside: its outcome will come by signal once somebody has recovered it.
      if (state.results.has(environment)) return;
      state.progress.health = 'troubled';
      setWaiting(state, 'rollout', environment, {
        kind: 'ended-outside',
        environment,
        why: (error as Error).message,
      });
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
