// baseline: catalog, counts and latency before anything is changed; kept as an artifact and as evidence.
import { count } from '../../src/core/count.ts';
import type { BaselineSpec } from '../../src/core/plan/steps/baseline.ts';
import { type Latencies, type Latency, ms } from '../../src/core/evidence-delta.ts';
import { measuredPath } from '../../src/core/plan/monitors/facts.ts';
import { withSession } from '../../src/io/postgres.ts';
import { get } from '../../src/io/http.ts';
import { readWrites } from '../../src/io/snapshot.ts';
import { readDatabase } from '../database/read-database.ts';
import type { StepResult } from '../frame/receipt.ts';
import { rolloutFolder } from '../frame/artifact-paths.ts';
import { addressOf, outsideAddress, type Work } from '../frame/step-context.ts';

const WARM_UP = 10;
const BASELINE = 'baseline.json';
const baselineName = (work: Pick<Work, 'rollout'>): string => `${rolloutFolder(work.rollout)}/baseline.json`;

interface Baseline {
  readonly http: Latencies;
  readonly writes: Readonly<Record<string, number>>;
}

export async function baseline(work: Work, { http: spec }: BaselineSpec): Promise<StepResult> {
  const http: Record<string, Latency> = {};
  for (const path of spec?.get ?? []) http[path] = await measure(work, path, spec?.samples ?? 0);
  const snapshot = await readDatabase(work);
  const writes = await withSession(work.url, work.tag, readWrites);
  const text = JSON.stringify({ http, writes } satisfies Baseline);
  await work.world.permitStore.noteAgain(work.rollout, BASELINE, text);
  await work.world.artifacts.put(baselineName(work), text);
  await work.record('baseline', 'database.json', snapshot);
  await work.record('baseline', 'http.json', http);
  const failed = Object.entries(http).filter(([, latency]) => latency.failed > 0);
  const lines = Object.entries(http).map(
    ([path, latency]) =>
      `${path}: mean ${ms(latency.mean)}, p95 ${ms(latency.p95)}, ${latency.failed} failed`,
  );
  return {
    verdict: failed.length > 0 ? 'inconclusive' : 'pass',
    summary:
      `${count(Object.keys(snapshot.content).length, 'table')} ` +
      `counted${lines.length > 0 ? `, ${count(lines.length, 'address', 'addresses')} measured` : ''}`,
    details: lines,
    figures: {
      tables: Object.keys(snapshot.content).length,
      rows: Object.values(snapshot.content).reduce((sum, table) => sum + table.rows, 0),
    },
  };
}

/** Latencies measured before; undefined when the plan took no baseline. */
export async function httpBaseline(
  work: Pick<Work, 'world' | 'rollout'>,
): Promise<Readonly<Record<string, Latency>> | undefined> {
  return (await readBaseline(work))?.http;
}

/** `monitor/latency` → the mean that its address had before anything was changed, in ms. */
export async function monitorBaseline(
  work: Pick<Work, 'world' | 'rollout' | 'list'>,
): Promise<Readonly<Record<string, number>>> {
  const measured = await httpBaseline(work);
  const pairs = Object.entries(work.list.monitors).flatMap(([name, monitor]) => {
    const path = measuredPath(monitor.read);
    const latency = path === undefined ? undefined : measured?.[path];
    return latency && latency.mean !== null ? [[`${name}/latency`, latency.mean] as const] : [];
  });
  return Object.fromEntries(pairs);
}

async function readBaseline(work: Pick<Work, 'world' | 'rollout'>): Promise<Baseline | undefined> {
  // Its own: what is observed is measured against it.
  const text = await work.world.permitStore.note(work.rollout, BASELINE);
  return text === undefined ? undefined : (JSON.parse(text) as Baseline);
}

/** One after the other, after a warm-up; a status of 400 or more counts as failed, whatever its latency. */
export async function measure(work: Work, path: string, samples: number): Promise<Latency> {
  const url = new URL(path, insideMaintenance(work) ? addressOf(work) : outsideAddress(work)).href;
  for (let at = 0; at < WARM_UP; at += 1) await get(url);
  const times: number[] = [];
  let failed = 0;
  for (let at = 0; at < samples; at += 1) {
    work.signal.throwIfAborted();
    if (at % 20 === 0) work.progress(`${path}: ${at} of ${samples}`);
    const answer = await get(url);
    if (answer.status === null || answer.status >= 400) failed += 1;
    else times.push(answer.tookMs);
  }
  times.sort((a, b) => a - b);
  if (times.length === 0) return { mean: null, p95: null, failed };
  return {
    mean: times.reduce((sum, time) => sum + time, 0) / times.length,
    p95: times[Math.floor(times.length * 0.95)] ?? null,
    failed,
  };
}

const insideMaintenance = (work: Work): boolean => addressOf(work) !== outsideAddress(work);
