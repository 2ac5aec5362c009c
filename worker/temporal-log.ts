// What Temporal's SDK says goes into our log, each activity with the names of what it works for.
import {
  type ActivityInterceptorsFactory,
  DefaultLogger,
  type LogEntry,
  type Logger,
  makeTelemetryFilterString,
} from '@temporalio/worker';
import type { RuntimeOptions } from '@temporalio/worker';
import { errorFields, type Log, type LogFields } from '../src/io/log.ts';
import { isDetailed, type LogLevel } from '../src/io/log-level.ts';

/** Said at each start by a worker that has none on purpose. */
const EXPECTED = 'No workflows registered, not polling for workflow tasks';
const FAILED = 'Activity failed';
/** Of the SDK's own names for an entry only these are ours; the rest is shown at debug. */
const RENAMED: Readonly<Record<string, string>> = {
  activityType: 'activity',
  workflowId: 'workflow',
  durationMs: 'ms',
};
const DETAILS = new Set([
  'namespace',
  'taskQueue',
  'activityId',
  'workflowType',
  'runId',
  'isLocal',
  'taskToken',
  'sdkComponent',
  'workflowRunId',
]);

/** The runtime's logger and the native half's, both through `log`. */
export function loggedBy(log: Log): Pick<RuntimeOptions, 'logger' | 'telemetryOptions'> {
  const detailed = log.level === 'trace';
  return {
    logger: temporalLogger(log),
    telemetryOptions: {
      logging: {
        filter: makeTelemetryFilterString({ core: detailed ? 'DEBUG' : 'WARN', other: 'ERROR' }),
        forward: {},
      },
    },
  };
}

function temporalLogger(log: Log): Logger {
  const lowest =
    log.level === 'trace'
      ? 'TRACE'
      : log.level === 'debug'
        ? 'DEBUG'
        : log.level === 'info'
          ? 'INFO'
          : 'WARN';
  return new DefaultLogger(lowest, (entry) => {
    const { error, ...meta } = (entry.meta ?? {}) as Record<string, unknown>;
    const fields = fieldsOf(meta, log.level);
    if (error === undefined) return log.write(levelOf(entry), entry.message, fields);
    const said = errorFields(error, log.level);
    // Temporal tries again by itself: one line says so, and the stack of each try would bury the rest.
    const what = entry.message === FAILED ? `${String(meta['activityType'])} failed` : entry.message;
    const text = `${what}: ${String(said['error']).replaceAll(/\s*\n\s*/gu, ' · ')}`;
    return log.write(levelOf(entry), text, { ...fields, ...said });
  });
}

/**
 * What activities and workflows say is ours and keeps its level; the SDK's news of itself is for whoever
 * looks for a defect.
 */
function levelOf({ level, message, meta }: LogEntry): LogLevel {
  if (message === EXPECTED) return 'debug';
  const ours = ['activity', 'workflow'].includes(String(meta?.['sdkComponent']));
  return level === 'INFO' && !ours ? 'debug' : (level.toLowerCase() as LogLevel);
}

function fieldsOf(meta: Readonly<Record<string, unknown>>, level: LogLevel): LogFields {
  const detailed = isDetailed(level);
  const shown = Object.entries(meta).filter(
    ([name, value]) => value !== undefined && (detailed || !DETAILS.has(name)),
  );
  return Object.fromEntries(
    shown.map(([name, value]) => [RENAMED[name] ?? name, typeof value === 'bigint' ? String(value) : value]),
  );
}

/** Puts deployment, environment and step of an activity's input into every entry of its attempt. */
export const namedInLog: ActivityInterceptorsFactory = () => {
  let names: LogFields = {};
  return {
    inbound: {
      execute(input, next) {
        names = namesOf(input.args[0]);
        return next(input);
      },
    },
    outbound: { getLogAttributes: (input, next) => next({ ...input, ...names }) },
  };
};

interface Named {
  readonly deployment?: unknown;
  readonly environment?: unknown;
  readonly rollout?: { readonly deployment?: unknown; readonly environment?: unknown };
  readonly step?: { readonly name?: unknown };
  readonly list?: { readonly environment?: { readonly name?: unknown } };
}

function namesOf(input: unknown): LogFields {
  if (typeof input !== 'object' || input === null) return {};
  const { deployment, environment, rollout, step, list } = input as Named;
  const names = {
    deployment: rollout?.deployment ?? deployment,
    environment: rollout?.environment ?? environment ?? list?.environment?.name,
    step: step?.name,
  };
  return Object.fromEntries(Object.entries(names).filter(([, value]) => typeof value === 'string'));
}
