// When an environment may be deployed to: openings by cron and zone (croner knows daylight saving), and
// notice given long enough before.
import { Cron } from 'croner';
import type { EnvironmentPlan } from '../core/plan/plan.ts';

export type Window = NonNullable<EnvironmentPlan['window']>;

export interface Entry {
  readonly open: boolean;
  /** Milliseconds until it may be deployed to; null while nobody can say. */
  readonly waitMs: number | null;
  /** For people. */
  readonly why: string;
}

/**
 * Whether it may be deployed to now, else when. The notice counts from when its attestation was verified, to
 * the beginning of the window.
 * @throws RangeError when the pattern or the zone cannot be read.
 */
export function entryInto(
  window: Window,
  facts: readonly string[],
  noticeAt: number | null,
  now: number,
): Entry {
  if (facts.includes('notice-given') && noticeAt === null)
    return { open: false, waitMs: null, why: 'notice has not been given' };
  const earliest = facts.includes('notice-given') ? (noticeAt ?? 0) + (window.noticeMs ?? 0) : 0;
  if (!facts.includes('window-open')) {
    const open = now >= earliest;
    return {
      open,
      waitMs: open ? 0 : earliest - now,
      why: open ? 'notice was given in time' : `the notice runs until ${local(earliest, window.zone)}`,
    };
  }
  const opening = nextOpening(window, Math.max(now - window.lengthMs, earliest - 1));
  if (opening === null) return { open: false, waitMs: null, why: `"${window.opens}" never opens again` };
  const open = opening <= now;
  const until = local(opening + window.lengthMs, window.zone);
  return {
    open,
    waitMs: open ? 0 : opening - now,
    why: open ? `the window is open until ${until}` : `the window opens ${local(opening, window.zone)}`,
  };
}

/** The first opening after that time. @throws RangeError when pattern or zone cannot be read. */
export function nextOpening({ opens, zone }: Pick<Window, 'opens' | 'zone'>, after: number): number | null {
  try {
    return new Cron(opens, { timezone: zone, mode: '5-part' }).nextRun(new Date(after))?.getTime() ?? null;
  } catch (error) {
    throw new RangeError(`the window "${opens}" in ${zone} cannot be read: ${(error as Error).message}`);
  }
}

/** `Sun 2026-11-29 02:00 Europe/Berlin`. */
export function local(at: number, zone: string): string {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    weekday: 'short',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(at);
  const of = (type: string) => parts.find((part) => part.type === type)?.value ?? '';
  return `${of('weekday')} ${of('year')}-${of('month')}-${of('day')} ${of('hour')}:${of('minute')} ${zone}`;
}
