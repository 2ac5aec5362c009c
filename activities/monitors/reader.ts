// What a source of a monitor does: it is read once, now, and gives samples.
import type { Reads, SourceKey } from '../../src/core/plan/monitors/index.ts';
import type { Json, Monitor } from '../../src/core/plan/plan.ts';
import { valueAt } from '../../src/core/pointer.ts';
import type { Counters, Sample } from '../../src/core/soak.ts';
import type { Work } from '../frame/step-context.ts';

export interface MonitorMetric {
  readonly samples: readonly Sample[];
  /** For counters: the row from which the next deltas are taken. */
  readonly counters?: Counters;
  /** What the numbers are about, for the evidence. */
  readonly excerpt?: readonly string[];
  /** Why there is no number, for the evidence. */
  readonly error?: string;
}

/** One read of one monitor. */
export interface Reading<Key extends SourceKey> {
  readonly name: string;
  readonly monitor: Monitor;
  readonly read: Reads[Key];
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** What the last read has handed on. */
  readonly counters: Counters | undefined;
  /** RFC 3339 of the last sample. */
  readonly since: string | undefined;
}

/** Reads a source once. @throws Error with the reason why there is no number. */
export type Reader<Key extends SourceKey> = (work: Work, reading: Reading<Key>) => Promise<MonitorMetric>;

/** A source that answers with one document, in which its metrics are places. */
export const documentReader =
  <Key extends SourceKey>(read: (work: Work, reading: Reading<Key>) => Promise<Json>): Reader<Key> =>
  async (work, reading) => {
    const document = await read(work, reading);
    return {
      samples: Object.entries(reading.monitor.metrics).map(([metric, { at }]) => ({
        monitor: reading.name,
        metric,
        at: reading.at,
        ...numberAt(document, at ?? `/${metric}`),
      })),
    };
  };

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
