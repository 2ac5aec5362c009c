// How much the log says; apart from the log itself, because every command of the CLI reads this list at its
// start.

/** From the fewest entries to the most. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** An unknown level is `info`, as none is: a log must not keep a worker from its work. */
export function levelOf(text: string | undefined): LogLevel {
  return LOG_LEVELS.find((level) => level === text) ?? 'info';
}

/** Whether stacks and the details of each entry are wanted. */
export const isDetailed = (level: LogLevel): boolean => level === 'debug' || level === 'trace';
