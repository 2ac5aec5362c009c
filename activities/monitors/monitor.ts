// The family of monitors: each reads its source once and gives one document; its metrics are places in it.
import type { Json, Monitor } from '../../src/core/plan/plan.ts';
import { counterSamples } from '../../src/core/counters.ts';
import { valueAt } from '../../src/core/pointer.ts';
import type { Counters, Sample } from '../../src/core/soak.ts';
import type { Work } from '../work.ts';
import { readCommand } from './command.ts';
import { readHttp } from './http.ts';
import { readLog } from './log.ts';
import { readSessions } from './sessions.ts';
import { readSqlRow } from './sql.ts';

export interface MonitorMetric {
  readonly samples: readonly Sample[];
  /** For counters: the row from which the next deltas are taken. */
  readonly counters?: Counters;
  /** What the numbers are about, for the evidence. */
  readonly excerpt?: readonly string[];
  /** Why there is no number, for the evidence. */
  readonly error?: string;
}

/** Reads one monitor now; what cannot be read is a missing sample, never an exception. */
export async function readMonitor(
  work: Work,
  name: string,
  monitor: Monitor,
  at: number,
  before: { counters: Counters | undefined; since: string | undefined },
): Promise<MonitorMetric> {
  try {
    if ('counters' in monitor.read) {
      const counters = (await readSqlRow(work, monitor.read.counters)) as Counters;
      return { samples: counterSamples(name, monitor, at, before.counters, counters), counters };
    }
    if ('log' in monitor.read)
      return await readLog(work, name, monitor, monitor.read.log, at, before.counters);
    if ('sessions' in monitor.read) return await readSessions(work, name, monitor, monitor.read.sessions, at);
    const document = await readDocument(work, monitor, before.since);
    return {
      samples: Object.entries(monitor.metrics).map(([metric, spec]) => ({
        monitor: name,
        metric,
        at,
        ...numberAt(document, spec.at ?? `/${metric}`),
      })),
    };
  } catch (error) {
    return {
      samples: Object.keys(monitor.metrics).map((metric) => ({ monitor: name, metric, at, value: null })),
      error: (error as Error).message,
    };
  }
}

async function readDocument(work: Work, monitor: Monitor, since: string | undefined): Promise<Json> {
  const { read } = monitor;
  if ('http' in read) return readHttp(work, read.http);
  if ('sql' in read) return readSqlRow(work, read.sql);
  if ('command' in read) return readCommand(work, read, since);
  throw new RangeError('no such monitor');
}

/** A number, or `{ value, samples }` where the source says for how many events it speaks. */
function numberAt(document: Json, pointer: string): { value: number | null; samples?: number } {
  const found = valueAt(document, pointer);
  if (typeof found === 'number') return { value: found };
  if (typeof found === 'string' && found !== '' && !Number.isNaN(Number(found)))
    return { value: Number(found) };
  const value = valueAt(found, '/value');
  const samples = valueAt(found, '/samples');
  // "Of nothing" is an answer: inconclusive, but no gap.
  return { value: typeof value === 'number' ? value : null, ...(typeof samples === 'number' && { samples }) };
}
