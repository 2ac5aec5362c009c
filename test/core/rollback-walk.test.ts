// Whatever fallbacks people choose after each other, and wherever each of them stops: what was shut is open at the
// end. The judge keeps its own site and services, and reads no receipt.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fallback, ReleaseKind } from '../../src/core/plan/plan.ts';
import type { UndoReceipt } from '../../src/core/receipts.ts';
import { stillToUndo } from '../../src/core/rollback-walk.ts';
import { orderRollback } from '../../src/core/rollback.ts';
import type { StackEntry, Step, Undo } from '../../src/core/step-list.ts';
import { stillShut } from '../../src/core/undo.ts';

const rollback = { close: true, stop: ['web', 'worker'] } as const;
const step = (index: number, name: string, kind: Step['kind'], undo?: Undo): Step => ({
  index,
  name,
  kind,
  spec: {},
  changes: [],
  ...(undo && { undo }),
});
const restartOf = (service: string): Undo => ({ undo: 'revertRestart', family: 'code', args: { service } });
const steps = [
  step(0, 'backup', 'backup'),
  step(1, 'close', 'enterMaintenance', { undo: 'endMaintenance', family: 'maintenance', args: {} }),
  step(2, 'fix', 'fixData', { undo: 'undoFix', family: 'data', args: {} }),
  step(3, 'migrate', 'migrate', { undo: 'downgrade', family: 'schema', args: {} }),
  step(4, 'switch', 'switchRelease', { undo: 'revertSwitch', family: 'code', args: {} }),
  step(5, 'restart web', 'restart', restartOf('web')),
  step(6, 'restart worker', 'restart', restartOf('worker')),
];
const list = { steps, environment: { rollback } };
const entries = steps.flatMap(({ index, name, undo }) => (undo ? [{ index, step: name, undo }] : []));
const fallbacks: readonly (Fallback | null)[] = [
  null,
  { downgrade: { to: 'recorded' } },
  { restore: { loses: 'writes-since-backup' } },
  { codeRollback: true },
];

/** What stands outside: a site, two services, and what has been undone how often. */
class Place {
  closed: boolean;
  readonly down = new Set<string>();
  readonly times = new Map<string, number>();
  constructor(stack: readonly StackEntry[]) {
    this.closed = stack.some(({ step: name }) => name === 'close');
  }
  do({ step: name, undo: { undo, family, args } }: StackEntry): void {
    if (undo === 'closeSite') this.closed = true;
    else if (undo === 'endMaintenance') this.closed = false;
    else if (undo === 'stopServices')
      (args['services'] as string[]).forEach((service) => this.down.add(service));
    else if (undo === 'startServices')
      (args['services'] as string[]).forEach((service) => this.down.delete(service));
    else if (undo === 'revertRestart') this.down.delete(String(args['service']));
    else {
      this.times.set(`${undo} ${name}`, (this.times.get(`${undo} ${name}`) ?? 0) + 1);
      if (family === 'schema' || family === 'data')
        expect([this.closed, this.down.size], `the database rolls back while it serves: ${undo}`).toEqual([
          true,
          2,
        ]);
    }
  }
}

const receiptOf = ({ step: name, undo: { undo } }: StackEntry, done: boolean): UndoReceipt => ({
  undo,
  step: name,
  done,
  summary: '',
  differences: [],
  tookMs: 1,
});

/** Walks until one fails (`stops`), or to its end. */
function walk(
  way: readonly StackEntry[],
  undos: UndoReceipt[],
  place: Place,
  stops: number | null,
  half = false,
): 'stopped' | 'ended' {
  for (const [at, entry] of stillToUndo(way, undos, list).entries()) {
    expect(steps[entry.index]?.name).toBe(entry.step);
    if (at === stops) {
      // It may have shut something before it failed, and it may not.
      const shuts = ['closeSite', 'stopServices'].includes(entry.undo.undo);
      if (half && shuts) place.do(entry);
      if (shuts) undos.push(receiptOf(entry, false));
      return 'stopped';
    }
    place.do(entry);
    undos.push(receiptOf(entry, true));
  }
  return 'ended';
}

const kinds = fc.constantFrom<ReleaseKind>('constraints', 'columns', 'view', 'flags', 'code');
const walks = fc.array(
  fc.record({
    fallback: fc.constantFrom(...fallbacks),
    stops: fc.option(fc.nat(8)),
    retried: fc.boolean(),
    half: fc.boolean(),
  }),
  { maxLength: 4 },
);

describe('fallbacks after each other', () => {
  test('nothing of the database is undone while it serves, nothing twice, and all is open at the end', () => {
    fc.assert(
      fc.property(
        kinds,
        fc.subarray(entries),
        walks,
        fc.constantFrom(...fallbacks),
        (kind, stack, tried, last) => {
          const place = new Place(stack);
          const undos: UndoReceipt[] = [];
          const planned = (fallback: Fallback | null) =>
            orderRollback({ kind, stack, passed: ['migrate'], fallback, backup: steps[0]!, shut: rollback });
          for (const { fallback, stops, retried, half } of tried) {
            const way = planned(fallback);
            walk(way, undos, place, stops, half);
            if (retried) walk(way, undos, place, stops, half);
            const said = stillShut(undos, list).some((line) => line.includes('services'));
            if (place.down.size > 0) expect(said, 'what is down is named').toBe(true);
          }
          expect(walk(planned(last), undos, place, null)).toBe('ended');
          expect([place.closed, [...place.down]]).toEqual([false, []]);
          expect(stillShut(undos, list)).toEqual([]);
          expect([...place.times.values()].filter((times) => times > 1)).toEqual([]);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('a restore behind a downgrade that went wrong at its end opens what the downgrade had opened', () => {
    const place = new Place([]);
    const undos: UndoReceipt[] = [];
    const stack = entries.filter(({ step: name }) => name !== 'close');
    const way = (fallback: Fallback) =>
      orderRollback({
        kind: 'columns',
        stack,
        passed: ['migrate'],
        fallback,
        backup: steps[0]!,
        shut: rollback,
      });
    walk(way({ downgrade: { to: 'recorded' } }), undos, place, null);
    expect([place.closed, place.down.size]).toEqual([false, 0]);
    const before = undos.length;
    walk(way({ restore: { loses: 'writes-since-backup' } }), undos, place, null);
    expect(undos.slice(before).map(({ undo }) => undo)).toEqual([
      'closeSite',
      'stopServices',
      'restore',
      'revertRestart',
      'revertRestart',
      'endMaintenance',
    ]);
  });
});
