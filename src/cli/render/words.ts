// States as a mark and a word, never a colour alone; times as people say them.
import type { StepState } from '../../../workflows/progress.ts';
import type { Cell } from './table.ts';
import type { Tone } from '../terminal.ts';

const states: Readonly<Record<StepState, readonly [mark: string, tone: Tone]>> = {
  waiting: ['·', 'dim'],
  running: ['▶', 'strong'],
  pass: ['✓', 'good'],
  fail: ['✗', 'bad'],
  inconclusive: ['?', 'warn'],
  error: ['!', 'bad'],
  undone: ['↩', 'warn'],
  'not undone': ['✗', 'bad'],
};

export function stateCell(state: StepState, indent = ''): Cell {
  const [mark, tone] = states[state];
  return { text: `${indent}${mark} ${state}`, tone };
}

const healths: Readonly<Record<string, Tone>> = { good: 'good', troubled: 'warn', stuck: 'bad' };
export const healthCell = (health: string): Cell => {
  const tone = healths[health];
  return tone ? { text: health, tone } : health;
};

/** `0.3 s`, `12 s`, `4 min`, `2.5 h`, `3 d`. */
export function took(ms: number | null): string {
  if (ms === null) return '';
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return ms < 172_800_000 ? `${+(ms / 3_600_000).toFixed(1)} h` : `${+(ms / 86_400_000).toFixed(1)} d`;
}

/** An RFC 3339 time, to the second and in UTC, as lists show it. */
export const at = (time: string | null): string =>
  time === null ? '' : `${time.slice(0, 10)} ${time.slice(11, 19)}Z`;
