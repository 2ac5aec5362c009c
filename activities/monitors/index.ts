// The family of monitors: one reader for each source.
import { sourceKey } from '../../src/core/plan/monitors/facts.ts';
import type { SourceKey } from '../../src/core/plan/monitors/index.ts';
import type { Monitor } from '../../src/core/plan/plan.ts';
import type { Work } from '../frame/step-context.ts';
import { readCommand } from './command.ts';
import { readCounters } from './counters.ts';
import { readHttp } from './http.ts';
import { readLog } from './log.ts';
import { readPrometheus } from './prometheus.ts';
import type { MonitorMetric, Reader, Reading } from './reader.ts';
import { readSessions } from './sessions.ts';
import { readSql } from './sql.ts';

const readers: { readonly [Key in SourceKey]: Reader<Key> } = {
  command: readCommand,
  sql: readSql,
  counters: readCounters,
  http: readHttp,
  log: readLog,
  sessions: readSessions,
  prometheus: readPrometheus,
};

/** Reads one monitor now; what cannot be read is a missing sample, never an exception. */
export async function readMonitor(
  work: Work,
  name: string,
  monitor: Monitor,
  at: number,
  before: Pick<Reading<SourceKey>, 'counters' | 'since'>,
): Promise<MonitorMetric> {
  const read = readers[sourceKey(monitor.read)] as Reader<SourceKey>;
  try {
    return await read(work, { name, monitor, read: monitor.read, at, ...before });
  } catch (error) {
    return {
      samples: Object.keys(monitor.metrics).map((metric) => ({ monitor: name, metric, at, value: null })),
      error: (error as Error).message,
    };
  }
}
