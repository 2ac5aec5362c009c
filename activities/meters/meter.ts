// The family of meters: each reads its source once and gives one document; its readings are places in it.
import type { Json, Meter } from '../../src/core/plan/plan.ts';
import { counterSamples } from '../../src/core/counters.ts';
import { valueAt } from '../../src/core/pointer.ts';
import type { Counters, Sample } from '../../src/core/soak.ts';
import type { Work } from '../work.ts';
import { readCommand } from './command.ts';
import { readHttp } from './http.ts';
import { readLog } from './log.ts';
import { readSessions } from './sessions.ts';
import { readSqlRow } from './sql.ts';

export interface MeterReading {
  readonly samples: readonly Sample[];
  /** For counters: the row from which the next deltas are taken. */
  readonly counters?: Counters;
  /** What the numbers are about, for the evidence. */
  readonly excerpt?: readonly string[];
  /** Why there is no number, for the evidence. */
  readonly error?: string;
}

/** Reads one meter now; what cannot be read is a missing reading, never an exception. */
export async function readMeter(
  work: Work,
  name: string,
  meter: Meter,
  at: number,
  before: { counters: Counters | undefined; since: string | undefined },
): Promise<MeterReading> {
  try {
    if ('counters' in meter.read) {
      const counters = (await readSqlRow(work, meter.read.counters)) as Counters;
      return { samples: counterSamples(name, meter, at, before.counters, counters), counters };
    }
    if ('log' in meter.read) return await readLog(work, name, meter, meter.read.log, at, before.counters);
    if ('sessions' in meter.read) return await readSessions(work, name, meter, meter.read.sessions, at);
    const document = await readDocument(work, meter, before.since);
    return {
      samples: Object.entries(meter.readings).map(([reading, spec]) => ({
        meter: name,
        reading,
        at,
        ...numberAt(document, spec.at ?? `/${reading}`),
      })),
    };
  } catch (error) {
    return { samples: Object.keys(meter.readings).map((reading) => ({ meter: name, reading, at, value: null })), error: (error as Error).message };
  }
}

async function readDocument(work: Work, meter: Meter, since: string | undefined): Promise<Json> {
  const { read } = meter;
  if ('http' in read) return readHttp(work, read.http);
  if ('sql' in read) return readSqlRow(work, read.sql);
  if ('command' in read) return readCommand(work, read, since);
  throw new RangeError('no such meter');
}

/** A number, or `{ value, samples }` where the source says for how many events it speaks. */
function numberAt(document: Json, pointer: string): { value: number | null; samples?: number } {
  const found = valueAt(document, pointer);
  if (typeof found === 'number') return { value: found };
  if (typeof found === 'string' && found !== '' && !Number.isNaN(Number(found))) return { value: Number(found) };
  const value = valueAt(found, '/value');
  const samples = valueAt(found, '/samples');
  // "Of nothing" is an answer: inconclusive, but no gap.
  return { value: typeof value === 'number' ? value : null, ...(typeof samples === 'number' && { samples }) };
}
