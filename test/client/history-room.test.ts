// A history that is nearly full is said in time; one that was is said afterwards.
import { expect, test } from 'vitest';
import { historyText } from '../../src/client/history-room.ts';

const MB = 1_048_576;
test.each<[string, number, number, string | null]>([
  ['running', 20_000, 24 * MB, null],
  [
    'running',
    26_000,
    1 * MB,
    'its history holds 26000 events, 1.0 MB: Temporal ends it at 51200 events or 50 MB',
  ],
  ['running', 2_000, 36 * MB, 'its history holds 2000 events, 36.0 MB: Temporal ends it'],
  [
    'terminated',
    1_700,
    50 * MB,
    'its history holds 1700 events, 50.0 MB: it was full, and Temporal has ended it',
  ],
  ['completed', 30_000, 30 * MB, null],
])('%s with %d events and %d bytes', (state, events, bytes, said) => {
  const text = historyText(state === 'running', events, bytes);
  if (said === null) expect(text).toBeNull();
  else expect(text).toContain(said);
});
