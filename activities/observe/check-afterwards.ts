// checkAfterwards: one look of the post-deployment checks at what a deployment has left, long after its
// evidence was sealed.
import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { AfterwardsInput, AfterwardsMemory, AfterwardsResult } from '../../src/core/activities.ts';
import { judgeAfterwards, readsOf } from '../../src/core/afterwards.ts';
import { afterwardsWorkflowId } from '../../src/core/ids.ts';
import type { Monitor } from '../../src/core/plan/plan.ts';
import type { Sample } from '../../src/core/soak.ts';
import { redactJson } from '../../src/io/redact.ts';
import { monitorBaseline } from './baseline.ts';
import { readMonitor } from '../monitors/index.ts';
import { runtimeOf } from '../runtimes/index.ts';
import { openAfterwards, type Work, type WorkerContext } from '../frame/step-context.ts';

const PAUSE_MS = 1_000;

export async function checkAfterwards(
  world: WorkerContext,
  input: AfterwardsInput,
): Promise<AfterwardsResult> {
  const work = await openAfterwards(world, input.rollout);
  const at = new Date().toISOString();
  const instead = await insteadOfMetric(work);
  if (instead) return { ...instead, at, metrics: [], troubles: [], memory: input.before };
  const { monitors: names = Object.keys(work.list.monitors) } = work.list.environment.afterwards!;
  const baseline = await monitorBaseline(work);
  const found = await Promise.all(
    names.map((name) => lookAt(work, name, work.list.monitors[name]!, input, baseline)),
  );
  const result: AfterwardsResult = {
    is: 'read',
    why: '',
    at,
    metrics: found.flatMap(({ lines }) => lines),
    troubles: found.flatMap(({ troubles }) => troubles),
    memory: {
      since: { ...input.before.since, ...Object.fromEntries(names.map((name) => [name, at])) },
      counters: Object.assign(
        {},
        input.before.counters,
        ...found.map(({ counters }) => counters),
      ) as AfterwardsMemory['counters'],
    },
  };
  const kept = redactJson(result, work.secrets);
  await world.artifacts.append(
    `${afterwardsWorkflowId(input.rollout.deployment, input.rollout.environment)}.jsonl`,
    JSON.stringify({ ...kept, memory: undefined, number: input.number }),
  );
  return kept;
}

/** What has changed this service since, or does so just now. */
async function insteadOfMetric(work: Work): Promise<Pick<AfterwardsResult, 'is' | 'why'> | null> {
  const { rollout, list, world } = work;
  const [open] = await world.permitStore.open(rollout.service);
  if (open) return { is: 'held', why: `${open.deployment} is changing it now` };
  const serving = await runtimeOf(work).running(work);
  if (list.steps.some(({ kind }) => kind === 'switchRelease') && serving !== list.commit)
    return {
      is: 'superseded',
      why: `${serving?.slice(0, 12) ?? 'no release'} serves now, not ${list.commit.slice(0, 12)}`,
    };
  const last = await world.permitStore.passedLast(rollout.service);
  return last === rollout.hash ? null : { is: 'superseded', why: 'a later deployment has passed here' };
}

interface Found extends ReturnType<typeof judgeAfterwards> {
  readonly counters: AfterwardsMemory['counters'];
}

async function lookAt(
  work: Work,
  name: string,
  monitor: Monitor,
  { before }: AfterwardsInput,
  baseline: Readonly<Record<string, number>>,
): Promise<Found> {
  const samples: Sample[] = [];
  let counters = before.counters[name];
  const since = before.since[name];
  for (let left = readsOf(monitor); left > 0; left -= 1) {
    const now = Date.now();
    const metric = await readMonitor(work, name, monitor, now, { counters, since });
    cancellationSignal().throwIfAborted();
    heartbeat(`${name}: ${left} to read`);
    samples.push(...metric.samples);
    counters = metric.counters ?? counters;
    if (left > 1) await new Promise((wake) => setTimeout(wake, PAUSE_MS));
  }
  const spanMs = since === undefined ? null : Date.now() - Date.parse(since);
  return {
    ...judgeAfterwards({ name, monitor, samples, baseline, spanMs, dayMs: work.list.dayMs }),
    counters: counters === undefined ? {} : { [name]: counters },
  };
}
