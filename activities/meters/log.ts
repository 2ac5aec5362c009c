// New lines of the service's logs, counted by named patterns; where reading goes on travels with the counters.
import { join } from 'node:path';
import { countLines } from '../../src/core/log-lines.ts';
import type { LogRead, Meter } from '../../src/core/plan/plan.ts';
import type { Counters } from '../../src/core/soak.ts';
import { followFile, type NewLines } from '../../src/io/followed-file.ts';
import type { Work } from '../work.ts';
import type { MeterReading } from './meter.ts';

const SEEN = 'seen';

/** Lines that were lost say nothing: no number, and the count goes on behind them. @throws Error when a file is not there. */
export async function readLog(work: Work, name: string, meter: Meter, log: LogRead, at: number, before: Counters | undefined): Promise<MeterReading> {
  const folder = work.service.logs ?? work.service.root;
  // In the reverse of the plan's order: a record that reaches the first file before the second is then in both, or in the first alone.
  const followed: NewLines[] = [];
  for (const file of log.files.toReversed()) {
    const from = before?.[file];
    followed.unshift(await followFile(join(folder, file), typeof from === 'string' ? from : undefined));
  }
  const counted = countLines(
    log,
    followed.map(({ lines }) => lines),
    String(before?.[SEEN] ?? ''),
  );
  const counters = { ...Object.fromEntries(log.files.map((file, place) => [file, followed[place]!.place])), [SEEN]: counted.seen };
  const lost = log.files.filter((_, place) => followed[place]!.lost);
  return {
    samples: Object.keys(meter.readings).map((reading) => ({
      meter: name,
      reading,
      at,
      value: lost.length > 0 ? null : (counted.counts[reading] ?? 0),
      ...(counted.caught[reading] !== undefined && { about: counted.caught[reading] }),
    })),
    counters,
    ...(counted.excerpt.length > 0 && { excerpt: counted.excerpt }),
    ...(lost.length > 0 && { error: `lines of ${lost.join(', ')} are gone that were not read` }),
  };
}
