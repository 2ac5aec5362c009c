// A kind of fallback is one file: what must hold for each of them.
import { expect, test } from 'vitest';
import { allowedUndos, undoKinds } from '../../../src/core/allowed-undos.ts';
import { compileSteps } from '../../../src/core/compile.ts';
import { byDefault, toFallback } from '../../../src/core/plan/fallbacks/facts.ts';
import { fallbackKinds } from '../../../src/core/plan/fallbacks/index.ts';
import { orderRollback } from '../../../src/core/rollback.ts';
import { planOf, smallPlan } from './small-plan.ts';

const written = { to: 'recorded', forward: '0009_fix', loses: 'writes-since-backup', code: 'rollback' };
const kept = Object.fromEntries(
  Object.entries(written).map(([key, value]) => [key, toFallback({ [key]: value })]),
);

test('each kind is kept under the key of its line, and its form takes what the plan writes', () => {
  expect(Object.values(kept).map((fallback) => Object.keys(fallback)[0])).toEqual(Object.keys(fallbackKinds));
  for (const { key, form } of Object.values(fallbackKinds))
    expect(form.safeParse(written[key]).success).toBe(true);
});

test(
  'what a kind adds to a line is an undo, and is asked of that line only where the plan has the ' +
    'fallback',
  () => {
    const { steps, environment } = compileSteps({
      plan: planOf(smallPlan),
      environment: 'production',
      commit: 'c',
      files: {},
      pace: null,
    });
    const adding = Object.values(fallbackKinds).flatMap(({ key, adds }) => (adds ? [{ key, adds }] : []));
    expect(adding.map(({ adds }) => adds)).toEqual([
      { to: 'migrate', undo: 'undoForward' },
      { to: 'backup', undo: 'restore' },
    ]);
    for (const { key, adds } of adding) {
      expect(undoKinds).toContain(adds.undo);
      const offering = (fallbacks: typeof kept) =>
        steps.filter((step) => allowedUndos(step, { fallbacks, environment }).includes(adds.undo));
      expect(offering({}), key).toEqual([]);
      expect(offering({ one: kept[key]! }).map(({ kind }) => kind)).toEqual([adds.to]);
    }
  },
);

test('one of them is meant where none is named', () => {
  expect(byDefault(kept)).toBe('to');
  expect(byDefault({ code: kept['code']! })).toBeUndefined();
});

test(
  'each kind rolls back its families, in the order of the release; a restore in place of data and ' +
    'schema',
  () => {
    const families = ['data', 'schema', 'code', 'flag', 'maintenance'] as const;
    const stack = families.map((family, index) => ({
      index,
      step: family,
      undo: { undo: 'undoRun' as const, family, args: {} },
    }));
    const { steps } = compileSteps({
      plan: planOf(smallPlan),
      environment: 'production',
      commit: 'c',
      files: {},
      pace: null,
    });
    const backup = steps.find(({ kind }) => kind === 'backup')!;
    const walked = (key: string, entries = stack) =>
      orderRollback({ kind: 'columns', stack: entries, passed: [], fallback: kept[key]!, backup }).map(
        ({ step, undo }) => (undo.undo === 'restore' ? 'restore' : step),
      );
    const all = ['flag', 'code', 'schema', 'data', 'maintenance'];
    expect(walked('to')).toEqual(all);
    expect(walked('forward')).toEqual(all);
    expect(walked('loses')).toEqual(['flag', 'code', 'restore', 'maintenance']);
    expect(walked('code')).toEqual(['code', 'maintenance']);
    const unchanged = stack.filter(({ undo: { family } }) => family === 'flag' || family === 'code');
    expect(walked('loses', unchanged), 'nothing of the database was changed').toEqual(['flag', 'code']);
  },
);
