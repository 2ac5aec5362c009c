// look: one look of a follow-up at what a deployment has left, long after its evidence was sealed.
import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { LookInput, LookMemory, LookResult } from '../src/core/activities.ts';
import { judgeLook, readsOf } from '../src/core/follow-up.ts';
import { followUpWorkflowId } from '../src/core/names.ts';
import type { Meter } from '../src/core/plan/plan.ts';
import type { Sample } from '../src/core/soak.ts';
import { redactJson } from '../src/io/redact.ts';
import { meterBaseline } from './baseline.ts';
import { readMeter } from './meters/meter.ts';
import { servingCommit } from './release.ts';
import { openLook, type Work, type World } from './work.ts';

const PAUSE_MS = 1_000;

export async function look(world: World, input: LookInput): Promise<LookResult> {
  const work = await openLook(world, input.rollout);
  const at = new Date().toISOString();
  const instead = await insteadOfReading(work);
  if (instead) return { ...instead, at, readings: [], troubles: [], memory: input.before };
  const { meters: names = Object.keys(work.list.meters) } = work.list.environment.followUp!;
  const baseline = await meterBaseline(work);
  const found = await Promise.all(names.map((name) => lookAt(work, name, work.list.meters[name]!, input, baseline)));
  const result: LookResult = {
    is: 'read',
    why: '',
    at,
    readings: found.flatMap(({ lines }) => lines),
    troubles: found.flatMap(({ troubles }) => troubles),
    memory: {
      since: { ...input.before.since, ...Object.fromEntries(names.map((name) => [name, at])) },
      counters: Object.assign({}, input.before.counters, ...found.map(({ counters }) => counters)) as LookMemory['counters'],
    },
  };
  const kept = redactJson(result, work.secrets);
  await world.artifacts.append(
    `${followUpWorkflowId(input.rollout.deployment, input.rollout.environment)}.jsonl`,
    JSON.stringify({ ...kept, memory: undefined, number: input.number }),
  );
  return kept;
}

/** What has changed this service since, or does so just now. */
async function insteadOfReading(work: Work): Promise<Pick<LookResult, 'is' | 'why'> | null> {
  const { rollout, list, world } = work;
  const [open] = await world.kept.open(rollout.service);
  if (open) return { is: 'held', why: `${open.deployment} changes it just now` };
  const serving = await servingCommit(work);
  if (list.steps.some(({ kind }) => kind === 'switchRelease') && serving !== list.commit)
    return { is: 'superseded', why: `${serving?.slice(0, 12) ?? 'no release'} serves now, not ${list.commit.slice(0, 12)}` };
  const last = await world.kept.passedLast(rollout.service);
  return last === rollout.hash ? null : { is: 'superseded', why: 'a later deployment has passed here' };
}

interface Found extends ReturnType<typeof judgeLook> {
  readonly counters: LookMemory['counters'];
}

async function lookAt(work: Work, name: string, meter: Meter, { before }: LookInput, baseline: Readonly<Record<string, number>>): Promise<Found> {
  const samples: Sample[] = [];
  let counters = before.counters[name];
  const since = before.since[name];
  for (let left = readsOf(meter); left > 0; left -= 1) {
    const now = Date.now();
    const reading = await readMeter(work, name, meter, now, { counters, since });
    cancellationSignal().throwIfAborted();
    heartbeat(`${name}: ${left} to read`);
    samples.push(...reading.samples);
    counters = reading.counters ?? counters;
    if (left > 1) await new Promise((wake) => setTimeout(wake, PAUSE_MS));
  }
  const spanMs = since === undefined ? null : Date.now() - Date.parse(since);
  return {
    ...judgeLook({ name, meter, samples, baseline, spanMs, dayMs: work.list.dayMs }),
    counters: counters === undefined ? {} : { [name]: counters },
  };
}
