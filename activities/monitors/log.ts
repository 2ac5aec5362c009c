// New lines of the service's logs, counted by named patterns; where reading goes on travels with the
// counters.
import { countLines } from '../../src/core/log-lines.ts';
import { followFile, type NewLines } from '../../src/io/followed-file.ts';
import { ownFile } from '../frame/own-files.ts';
import type { Reader } from './reader.ts';

const SEEN = 'seen';

/**
 * Lines that were lost say nothing: no number, and the count goes on behind them. @throws Error when a file
 * is not there.
 */
export const readLog: Reader<'log'> = async (
  work,
  { name, monitor, read: { log }, at, counters: before },
) => {
  const folder = work.service.logs ?? work.service.root;
  // In the reverse of the plan's order: a record that reaches the first file before the second is then in
  // both, or in the first alone.
  const followed: NewLines[] = [];
  for (const file of log.files.toReversed()) {
    const from = before?.[file];
    const path = await ownFile(work, file, folder);
    followed.unshift(await followFile(path, typeof from === 'string' ? from : undefined));
  }
  const counted = countLines(
    log,
    followed.map(({ lines }) => lines),
    String(before?.[SEEN] ?? ''),
  );
  const counters = {
    ...Object.fromEntries(log.files.map((file, place) => [file, followed[place]!.place])),
    [SEEN]: counted.seen,
  };
  const lost = log.files.filter((_, place) => followed[place]!.lost);
  return {
    samples: Object.keys(monitor.metrics).map((metric) => ({
      monitor: name,
      metric,
      at,
      value: lost.length > 0 ? null : (counted.counts[metric] ?? 0),
      ...(counted.caught[metric] !== undefined && { about: counted.caught[metric] }),
    })),
    counters,
    ...(counted.excerpt.length > 0 && { excerpt: counted.excerpt }),
    ...(lost.length > 0 && { error: `lines of ${lost.join(', ')} are gone that were not read` }),
  };
};
