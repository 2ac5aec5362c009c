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
import { type Affair, line, outcomeOf, say } from './affair.ts';
import type {
  Command,
  DeploymentInput,
  DeploymentOutcome,
  DeploymentResult,
  EnvironmentRun,
  Fact,
  RolloutResult,
} from './contract.ts';
import { commandSignal, factSignal } from './desk.ts';
import { throughGate } from './entry.ts';
import { type Gate, newGate, voidGateReport } from './gate.ts';
import { openMailbox } from './mailbox.ts';
import { answerMessage } from './post.ts';
import { type Progress, progressQuery, show } from './progress.ts';
import { controlActivities } from './proxies.ts';
import { rollout } from './rollout.ts';

export const gateReportQuery = defineQuery<SealedGateReport | null, [string]>('gateReport');

const LAST_ANSWERS = '1m';
const LAST_EVENTS = '1m';

export async function deployment(input: DeploymentInput): Promise<DeploymentResult> {
  const affair = openAffair(input);
  const scope = new CancellationScope({ cancellable: true });
  try {
    await scope.run(() => enterAll(affair));
  } catch (error) {
    if (!isCancellation(error)) throw error;
    affair.ended ??= { outcome: 'rolled-back', reason: 'cancelled in Temporal: an unsigned abort' };
  }
  return CancellationScope.nonCancellable(() => close(affair));
}

/** State first, then all handlers, before anything is awaited. */
function openAffair(input: DeploymentInput): Affair {
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
  const affair: Affair = {
    input,
    progress,
    shown: { of: { service: input.runs[0]?.rollout.service ?? '', environment: 'all' } },
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
  for (const run of input.runs) affair.gates.set(run.rollout.environment, newGate(run, input.start));
  setHandler(progressQuery, () => affair.progress, {
    description: 'Where the deployment is: environments, waiting reason, next command',
  });
  setHandler(gateReportQuery, (environment) => affair.gates.get(environment)?.gateReport ?? null, {
    description: 'The sealed gate report of an environment (its name as JSON)',
  });
  setHandler(factSignal, (fact) => takeFact(affair, fact), {
    description: 'From a rollout of this deployment',
  });
  openMailbox((signed) => answerMessage(affair, signed));
  show(progress, affair.shown);
  return affair;
}

async function enterAll(affair: Affair): Promise<void> {
  for (const [place, run] of affair.input.runs.entries()) {
    const gate = affair.gates.get(run.rollout.environment)!;
    const permit = await throughGate(affair, gate, place);
    if (!permit) return;
    await stay(
      affair,
      run,
      { run, permit, timing: affair.input.timing ?? {}, asksBeforeChange: place > 0 },
      place,
    );
    if (affair.ended) return;
  }
  affair.ended = { outcome: 'completed', reason: 'every environment passed' };
}

/** Starts the rollout and waits until its soak has passed (the next gate may be asked) or it has ended. */
async function stay(
  affair: Affair,
  run: EnvironmentRun,
  child: Parameters<typeof rollout>[0],
  place: number,
): Promise<void> {
  const { environment, service } = run.rollout;
  affair.progress.phase = environment;
  line(affair, environment, 'running', '');
  await startRollout(affair, run, child);
  const previous = affair.input.runs[place - 1]?.rollout.environment;
  if (previous !== undefined) {
    await handOver(affair, previous, environment, service);
  }
  await condition(() => affair.soaked.has(environment) || affair.results.has(environment));
  const result = affair.results.get(environment);
  if (result && result.outcome !== 'passed')
    affair.ended = { outcome: outcomeOf(result), reason: `${environment}: ${result.reason}` };
}

/** The earlier environment is closed before the first change in this one; what voided its soak voids this permit. */
async function handOver(
  affair: Affair,
  previous: string,
  environment: string,
  service: string,
): Promise<void> {
  const stands = () =>
    affair.soaked.has(previous) && (affair.results.get(previous)?.outcome ?? 'passed') === 'passed';
  await condition(
    () =>
      affair.wantsChange.has(environment) ||
      affair.results.has(environment) ||
      affair.soaked.has(environment) ||
      !stands(),
  );
  if (stands() && affair.wantsChange.has(environment)) {
    await command(affair.open.get(previous) ?? service, previous, { is: 'close' });
    await condition(() => affair.results.has(previous) || !stands());
  }
  if (affair.results.has(environment)) return;
  if (stands()) await command(service, environment, { is: 'proceed' });
  else
    await command(service, environment, {
      is: 'stop',
      why: `the permit is void: ${affair.voided ?? `${previous} has not passed`}`,
    });
}

async function startRollout(
  affair: Affair,
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
    affair.open.set(environment, service);
    affair.running.add(environment);
    const over = handle.result().finally(() => affair.running.delete(environment));
    over.catch((error: unknown) => {
      // Terminated or failed from outside: its outcome will come by signal once somebody has recovered it.
      if (affair.results.has(environment)) return;
      affair.progress.health = 'troubled';
      say(
        affair,
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
    takeFact(affair, { is: 'ended', environment, result });
  }
}

function takeFact(affair: Affair, fact: Fact): void {
  if (fact.is === 'answered') affair.answered.set(fact.nonce, { accepted: fact.accepted, text: fact.text });
  else if (fact.is === 'aboutToChange') affair.wantsChange.add(fact.environment);
  else if (fact.is === 'waiting')
    say(
      affair,
      fact.environment,
      fact.reason && `${fact.environment}: ${fact.reason}`,
      fact.reason && `soakgate status ${affair.input.start.body.deployment}`,
    );
  else if (fact.is === 'soakPassed') {
    affair.soaked.set(fact.environment, fact.outcome);
    offer(affair, fact.environment, fact.outcome);
    line(affair, fact.environment, 'pass', 'soak passed; measuring goes on');
  } else if (fact.is === 'soakVoided') {
    affair.soaked.delete(fact.environment);
    affair.voided = fact.why;
    const next = nextGate(affair, fact.environment);
    if (next) voidGateReport(next);
    affair.progress.notes.push(`the gate report is void: ${fact.why}`);
  } else end(affair, fact.result);
}

function end(affair: Affair, result: RolloutResult): void {
  affair.results.set(result.environment, result);
  affair.open.delete(result.environment);
  affair.waits.delete(result.environment);
  const state = result.outcome === 'passed' ? 'pass' : result.outcome === 'restored' ? 'undone' : 'fail';
  line(affair, result.environment, state, `${result.outcome}: ${result.reason}`);
}

function nextGate(affair: Affair, environment: string): Gate | undefined {
  const place = affair.input.runs.findIndex((run) => run.rollout.environment === environment);
  const next = affair.input.runs[place + 1];
  return next && affair.gates.get(next.rollout.environment);
}

function offer(affair: Affair, environment: string, outcome: EnvironmentOutcome): void {
  const gate = nextGate(affair, environment);
  if (!gate) return;
  gate.before = outcome;
  gate.changes += 1;
}

async function command(service: string, environment: string, content: Command): Promise<void> {
  await getExternalWorkflowHandle(rolloutWorkflowId(service, environment))
    .signal(commandSignal, content)
    .catch(() => undefined);
}

async function closeRollout(affair: Affair, environment: string): Promise<void> {
  const service = affair.open.get(environment);
  if (service === undefined) return;
  await command(service, environment, { is: 'close' });
  await condition(() => affair.results.has(environment));
}

/** Whatever the outcome: every open rollout is closed and awaited, then the evidence is sealed. */
async function close(affair: Affair): Promise<DeploymentResult> {
  affair.progress.phase = 'closing';
  for (const environment of [...affair.open.keys()].reverse()) await closeRollout(affair, environment);
  // The histories in the evidence are whole; a parent that ends first would also leave its child's outcome without a reader.
  if (affair.running.size > 0 && !(await condition(() => affair.running.size === 0, LAST_EVENTS)))
    affair.progress.notes.push(
      `not whole in the evidence: the history of ${[...affair.running].join(', ')}, whose rollout has told its outcome but not ended`,
    );
  const results = affair.input.runs.flatMap(({ rollout: ref }) => affair.results.get(ref.environment) ?? []);
  const { outcome, reason } = outcomeOfAll(affair, results);
  const { start, runs } = affair.input;
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
    approvals: [...affair.gates.values()].flatMap((gate) => [...gate.attestations, ...gate.approvals]),
  });
  affair.progress.phase = outcome;
  affair.progress.health = outcome === 'completed' ? 'good' : outcome === 'stuck' ? 'stuck' : 'ended';
  affair.progress.notes.push(reason);
  affair.waits.clear();
  Object.assign(affair.progress, { waitingFor: null, next: null });
  show(affair.progress, affair.shown);
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
  affair: Affair,
  results: readonly RolloutResult[],
): { outcome: DeploymentOutcome; reason: string } {
  const stuck = results.find((result) => result.outcome === 'stuck');
  if (stuck) return { outcome: 'stuck', reason: `${stuck.environment}: ${stuck.differences.join('; ')}` };
  const restored = results.find((result) => result.outcome === 'restored');
  if (restored && affair.ended?.outcome !== 'rolled-back')
    return { outcome: 'rolled-back', reason: `${restored.environment}: ${restored.reason}` };
  return affair.ended ?? { outcome: 'failed', reason: 'ended without a reason' };
}
