// The log of our processes, on stderr: one JSON object a line; on a terminal one readable line. Secrets are
// hidden in both (rule 7).
import { destination, type Logger, pino, stdTimeFunctions } from 'pino';
import { isDetailed, type LogLevel } from './log-level.ts';
import { redact, redactJson } from './redact.ts';

/**
 * What an entry says beside its text: deployment, environment, step, attempt and whatever else belongs to it.
 */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  readonly level: LogLevel;
  write(level: LogLevel, text: string, fields?: LogFields): void;
  info(text: string, fields?: LogFields): void;
  warn(text: string, fields?: LogFields): void;
  error(text: string, fields?: LogFields): void;
  /** From now on these values are hidden in every entry. */
  hide(secrets: readonly string[]): void;
}

/** `fields`: what every entry of this process says. */
export function openLog({
  level,
  fields = {},
}: {
  readonly level: LogLevel;
  readonly fields?: LogFields;
}): Log {
  const secrets: string[] = [];
  const logger: Logger = pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // Not bindings: an entry with an environment of its own would have the key twice.
      mixin: () => ({ ...fields }),
    },
    process.stderr.isTTY ? readableStream(level) : destination({ dest: 2, sync: true }),
  );
  const write: Log['write'] = (at, text, own = {}) =>
    logger[at](redactJson(own, secrets), redact(text, secrets));
  return {
    level,
    write,
    info: (text, own) => write('info', text, own),
    warn: (text, own) => write('warn', text, own),
    error: (text, own) => write('error', text, own),
    hide: (more) => void secrets.push(...more),
  };
}

/** The stack is for whoever looks for a defect; one line is for whoever reads what happened. */
export function errorFields(error: unknown, level: LogLevel): LogFields {
  if (!(error instanceof Error)) return { error: String(error) };
  const detailed = isDetailed(level);
  // Of a failure that has a code, as Temporal carries it.
  const code = 'type' in error && typeof error.type === 'string' ? { code: error.type } : {};
  return { error: error.message, ...code, ...(detailed && { stack: error.stack }) };
}

const readableStream = (level: LogLevel) => ({
  write: (line: string) => void process.stderr.write(readableLine(JSON.parse(line) as Entry, level)),
});

interface Entry {
  readonly level: string;
  readonly time: string;
  readonly msg: string;
  readonly [name: string]: unknown;
}

/** Said by the place of the entry, or not worth a reader's time. */
const PLACE = ['deployment', 'environment', 'step', 'attempt'];
const LEFT_OUT = new Set([...PLACE, 'level', 'time', 'msg', 'pid', 'process', 'stack']);

/** `20:14:03 warn  orders-12 staging migrate (attempt 2): …`; at debug with everything else that is known. */
export function readableLine(entry: Entry, level: LogLevel): string {
  const attempt = Number(entry['attempt']) > 1 ? `(attempt ${String(entry['attempt'])})` : '';
  const place = [...PLACE.slice(0, 3).map((name) => entry[name]), attempt].filter(Boolean).join(' ');
  const detailed = isDetailed(level);
  const rest = detailed ? Object.entries(entry).filter(([name]) => !LEFT_OUT.has(name)) : [];
  const more = rest
    .map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('');
  const stack = detailed && typeof entry['stack'] === 'string' ? `\n${entry['stack']}` : '';
  return (
    `${new Date(entry.time).toTimeString().slice(0, 8)} ${entry.level.padEnd(5)} ` +
    `${place ? `${place}: ` : ''}${entry.msg}${more}${stack}\n`
  );
}
