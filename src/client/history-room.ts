// How full the history of a workflow is. Temporal bounds it, and ends a workflow whose history is full: every message
// that is sent to it stands there, also one that counts for nothing.

/** What Temporal allows unless its operator says otherwise. */
const MOST_EVENTS = 51_200;
const MOST_BYTES = 52_428_800;
const FULL = 0.98;
const WORTH_SAYING = 0.5;

/** What people should know of it; null while there is room. */
export function historyText(running: boolean, events: number, bytes: number): string | null {
  const used = Math.max(events / MOST_EVENTS, bytes / MOST_BYTES);
  if (used < WORTH_SAYING) return null;
  const holds = `its history holds ${events} events, ${(bytes / 1_048_576).toFixed(1)} MB`;
  if (running)
    return (
      `${holds}: Temporal ends it at ${MOST_EVENTS} events or ${MOST_BYTES / 1_048_576} MB; find who sends so much, ` +
      'and let nobody else reach Temporal'
    );
  return used < FULL ? null : `${holds}: it was full, and Temporal has ended it`;
}
