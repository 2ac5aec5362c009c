// What a plan claims is held against what was measured; nothing that was not measured holds.
import { expect, test } from 'vitest';
import type { EnvironmentOutcome } from '../../src/core/activities.ts';
import { downtimeOf, measureClaims } from '../../src/core/claims.ts';
import type { Receipt } from '../../src/core/receipts.ts';

const BEGIN = Date.UTC(2026, 0, 5, 2);
const receipt = (
  kind: string,
  atSeconds: number,
  tookSeconds: number,
  more: Partial<Receipt> = {},
): Receipt => ({
  step: kind,
  kind,
  verdict: 'pass',
  summary: '',
  startedAt: new Date(BEGIN + atSeconds * 1000).toISOString(),
  tookMs: tookSeconds * 1000,
  ...more,
});
const outcome = (
  receipts: readonly Receipt[],
  more: Partial<EnvironmentOutcome> = {},
): EnvironmentOutcome => ({
  environment: 'production',
  outcome: 'passed',
  receipts,
  undos: [],
  differences: [],
  soak: null,
  ...more,
});
const down = { claims: { downtime: { word: 'at most', value: 300_000, text: 'at most 5m' } } } as const;
const back = (reversible: boolean) => ({ claims: { reversible } });
const maintenance = (seconds: number) => [
  receipt('enterMaintenance', 10, 1),
  receipt('restart', 20, 3),
  receipt('leaveMaintenance', 8 + seconds, 2),
];

test('downtime: from the start to the end of maintenance, else the restarts, else not measured', () => {
  expect(downtimeOf(maintenance(100), Date.parse)).toMatchObject({ ms: 100_000 });
  expect(downtimeOf([receipt('restart', 0, 3), receipt('restart', 9, 4)], Date.parse)).toMatchObject({
    ms: 7_000,
  });
  expect(downtimeOf([], Date.parse)).toBeNull();
  // Still in maintenance: nobody knows how long it will be.
  expect(downtimeOf(maintenance(100).slice(0, 2), Date.parse)).toBeNull();
});

test.each([
  [300, true],
  [301, false],
])('at most 5m, measured %s s: holds is %s', (seconds, holds) =>
  expect(measureClaims(down, [outcome(maintenance(seconds))], Date.parse)).toEqual([
    {
      environment: 'production',
      claim: 'downtime at most 5m',
      measured: `${seconds}.0 s, from the start to the end of maintenance`,
      holds,
    },
  ]),
);

const rehearsed = (how: string) => [receipt('preview', 0, 1, { figures: { rehearsed: how } })];
const equal = { equal: true, differences: [], writtenSince: [], summary: '' };

test.each<[string, EnvironmentOutcome, boolean | null]>([
  ['rehearsed there and back', outcome(rehearsed('up-down-up')), true],
  ['only up', outcome(rehearsed('up')), null],
  ['nothing', outcome([]), null],
  ['rolled back and was equal', outcome([], { outcome: 'restored', comparison: equal }), true],
  [
    'rolled back, rehearsed, and left something',
    outcome(rehearsed('up-down-up'), { outcome: 'stuck', differences: ['an index'] }),
    false,
  ],
])('reversible: %s', (_, place, holds) => {
  expect(measureClaims(back(true), [place], Date.parse)[0]?.holds).toBe(holds);
  expect(measureClaims(back(false), [place], Date.parse)[0]?.holds).toBe(holds === null ? null : !holds);
});

test('a plan without claims has none', () =>
  expect(measureClaims({}, [outcome(maintenance(5))], Date.parse)).toEqual([]));
