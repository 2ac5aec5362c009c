// observe: one slice of a soak or watch. Each reading is on disk as soon as it is taken, so that a killed
// worker loses none.
import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { ObserveActivities, ObserveInput } from '../../src/core/activities.ts';
import { fail } from '../../src/core/failures.ts';
import { decide } from '../../src/core/matrix.ts';
import {
  breaches,
  type Breach,
  type Counters,
  newSoak,
  type ObserveResult,
  type Rules,
  type Sample,
  type SoakState,
  soakVerdict,
  summarise,
  takeSamples,
} from '../../src/core/soak.ts';
import type { PermittedRollout } from '../../src/io/permit-store.ts';
import { redactJson } from '../../src/io/redact.ts';
import { asActivity } from '../frame/as-activity.ts';
import { monitorBaseline } from './baseline.ts';
import { withStatement } from '../permit/state.ts';
import { checkAfterwards } from './check-afterwards.ts';
import { readMonitor } from '../monitors/index.ts';
import { evidenceFolder } from '../frame/artifact-paths.ts';
import { openWork, type Work, type WorkerContext } from '../frame/step-context.ts';

/** One line of the metrics file: enough to judge again what a killed attempt had seen. */
interface Line {
  readonly at: number;
  readonly monitor: string;
  readonly samples: readonly Sample[];
  readonly counters?: Counters;
  readonly excerpt?: readonly string[];
  readonly error?: string;
}

const metricsName = (work: Work, phase: string): string =>
  `${evidenceFolder(work.rollout.deployment)}/logs/${work.rollout.environment}/${phase}-metrics.jsonl`;

export function observeActivities(world: WorkerContext): ObserveActivities {
  return {
    observe: (input) => asActivity(() => observe(world, input)),
    checkAfterwards: (input) => asActivity(() => checkAfterwards(world, input)),
  };
}

async function observe(world: WorkerContext, input: ObserveInput): Promise<ObserveResult> {
  const kept = await world.permitStore.rollout(input.rollout);
  const work = await openWork(
    world,
    input.rollout,
    kept?.list.steps[0] ?? { index: 0, name: '', kind: 'preflight', spec: {}, changes: [] },
  );
  if (input.phase !== (work.list.environment.soak ? 'soak' : 'watch'))
    fail('NOT_PERMITTED', `${work.rollout.environment} has no ${input.phase}`);
  const slice = await world.record.beginSlice(kept!, input);
  if ('answer' in slice) return withStatement(world, kept!, slice.answer);
  const result = await readSlice(work, input, slice.state);
  await world.record.endSlice(kept!, input, result, slice.schema);
  return withStatement(world, kept!, result);
}

/** Reads every monitor once, into this worker's own record. */
export async function lookOnce(work: Work, kept: PermittedRollout): Promise<void> {
  const phase = work.list.environment.soak ? 'soak' : 'watch';
  const input = { rollout: work.rollout, phase, sliceMs: 0, state: newSoak(), asking: true } as const;
  const { record } = work.world;
  const slice = await record.beginSlice(kept, input);
  if ('answer' in slice) return;
  await record.endSlice(kept, input, await readSlice(work, input, slice.state), slice.schema);
}

async function readSlice(work: Work, input: ObserveInput, from: SoakState): Promise<ObserveResult> {
  const observation = work.list.environment[input.phase]!;
  const rules: Rules = { observation, monitors: work.list.monitors, dayMs: work.list.dayMs };
  const watch = { state: await withBaseline(work, from), taken: 0 };
  await recoverMetrics(work, input.phase, rules, watch);
  const end = performance.now() + input.sliceMs;
  const due = new Map(Object.keys(rules.monitors).map((monitor) => [monitor, 0]));
  for (;;) {
    await readDue(work, input.phase, rules, watch, due);
    const found = actionable(work, rules, watch.state);
    const verdict = input.asking ? null : soakVerdict(rules, watch.state, Date.now());
    if (found.length > 0 || verdict || performance.now() >= end || cancellationSignal().aborted)
      return {
        state: watch.state,
        breaches: found,
        metrics: watch.taken,
        summary: summarise(watch.state),
        verdict: found.length > 0 ? null : verdict,
      };
    heartbeat(`${watch.taken} metrics`);
    await untilDue(Math.min(end, ...due.values()));
  }
}

async function readDue(
  work: Work,
  phase: string,
  rules: Rules,
  watch: { state: SoakState; taken: number },
  due: Map<string, number>,
): Promise<void> {
  const at = Date.now();
  const began = performance.now();
  const monitors = Object.entries(rules.monitors).filter(([name]) => (due.get(name) ?? 0) <= began);
  const read = await Promise.all(
    monitors.map(async ([name, monitor]) => {
      const started = performance.now();
      const metric = await readMonitor(work, name, monitor, at, {
        counters: watch.state.counters[name],
        since: watch.state.since[name],
      });
      // A cadence below twice the read itself would never rest.
      due.set(
        name,
        began + Math.max(monitor.everyMs ?? rules.observation.everyMs, 2 * (performance.now() - started)),
      );
      return { at, monitor: name, ...metric } satisfies Line;
    }),
  );
  // What was interrupted says nothing about the target.
  if (cancellationSignal().aborted && read.some((line) => 'error' in line)) return;
  // Judged, kept and handed back as it is redacted: what a line of a log is about travels into the history
  // (rule 7).
  for (const line of read.map((raw) => redactJson(raw, work.secrets))) {
    const text = JSON.stringify(line);
    const bytes = await work.world.permitStore.addSample(work.rollout, phase, text);
    await work.world.artifacts.append(metricsName(work, phase), text);
    take(rules, watch, line);
    watch.state = { ...watch.state, bytes };
  }
}

function take(rules: Rules, watch: { state: SoakState; taken: number }, line: Line): void {
  const state = takeSamples(rules, watch.state, line.samples);
  watch.state = {
    ...state,
    startedAt: state.startedAt ?? line.at,
    since: { ...state.since, [line.monitor]: new Date(line.at).toISOString() },
    ...(line.counters && { counters: { ...state.counters, [line.monitor]: line.counters } }),
  };
  watch.taken += 1;
}

/**
 * What an earlier attempt of this slice wrote before it was killed; found by its place, because a clock can
 * be set back.
 */
async function recoverMetrics(
  work: Work,
  phase: string,
  rules: Rules,
  watch: { state: SoakState; taken: number },
): Promise<void> {
  // Its own copy: whoever writes to the artifacts adds no reading, and takes none away.
  const file = Buffer.from(await work.world.permitStore.samples(work.rollout, phase));
  for (const entry of file.subarray(watch.state.bytes).toString().split('\n')) {
    const line = parsed(entry);
    if (line) take(rules, watch, line);
  }
  watch.state = { ...watch.state, bytes: file.length };
}

/**
 * Null between two lines, and for one that a full disk or a kill has cut off: a reading that was never taken.
 */
function parsed(entry: string): Line | null {
  try {
    return JSON.parse(entry) as Line;
  } catch {
    return null;
  }
}

async function withBaseline(work: Work, state: SoakState): Promise<SoakState> {
  return Object.keys(state.baseline).length > 0 ? state : { ...state, baseline: await monitorBaseline(work) };
}

/** Breaches about which the matrix wants something done; a silent monitor waits for its line's `for`. */
function actionable(work: Work, rules: Rules, state: SoakState): readonly Breach[] {
  return breaches(rules, state, Date.now()).filter((breach) => decide(work.list, breach).do !== 'continue');
}

async function untilDue(at: number): Promise<void> {
  const signal = cancellationSignal();
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, Math.max(0, at - performance.now()));
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    if (signal.aborted) done();
    else signal.addEventListener('abort', done);
  });
}
