// A cron line of five fields, read as it will be read when the window opens: by croner.
import { Cron } from 'croner';

/** Far enough for every line that ever opens: the 29th of February returns within eight years. */
const FROM = '2024-01-01T00:00:00';

/**
 * What is wrong with a cron line, in words; null when it opens some day.
 * Nothing here depends on the time at which it is asked.
 */
export function cronFault(line: string): string | null {
  try {
    const next = new Cron(line, { timezone: 'UTC', mode: '5-part' }).nextRun(FROM);
    return next === null ? `"${line}" never opens` : null;
  } catch (error) {
    return (error as Error).message.replace(/^CronPattern: /u, '').replace(/\.$/u, '');
  }
}
