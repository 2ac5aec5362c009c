// A kind of step is one file: what must hold for each of them, and what the compiler must refuse.
import { z } from 'zod';
import { describe, expect, test } from 'vitest';
import { undoKinds } from '../../../src/core/allowed-undos.ts';
import { compileSteps } from '../../../src/core/compile.ts';
import { implicitNames, lineKinds } from '../../../src/core/plan/steps/facts.ts';
import { stepKinds } from '../../../src/core/plan/steps/index.ts';
import { defineStep, line } from '../../../src/core/plan/steps/step.ts';
import { planOf, smallPlan } from './small-plan.ts';

describe('the list of step kinds', () => {
  test.each(Object.entries(stepKinds))('%s stands under its own key', (key, kind) => {
    expect(kind.key).toBe(key);
  });

  test('no two kinds share a line, and each line has its kind', () => {
    const lines = Object.values(stepKinds).flatMap(({ kinds }) => Object.keys(kinds));
    expect([...implicitNames, ...lines]).toEqual([...lineKinds]);
    expect(new Set(lines).size).toBe(lines.length);
  });

  test('each undo of a compiled line is an activity', () => {
    const { steps } = compileSteps({
      plan: planOf(smallPlan),
      environment: 'production',
      commit: 'c',
      files: {},
      pace: null,
    });
    const undos = steps.flatMap(({ undo }) => (undo ? [undo.undo] : []));
    expect(undos).toContain('downgrade');
    expect(undos.filter((undo) => !undoKinds.includes(undo))).toEqual([]);
  });
});

describe('the compiler refuses', () => {
  test('a line that changes more than files and says nothing of its undo', () => {
    // @ts-expect-error -- the database is changed, and nothing says how that is undone
    line<object>()({ changes: ['database'], programs: [] });
    // @ts-expect-error -- what is changed stands in the plan, so an undo must be there
    line<{ changes: [] }>()({ changes: (spec) => spec.changes, programs: [] });
    line<object>()({ changes: ['database'], undo: { none: 'with the reason' }, programs: [] });
    line<object>()({ changes: ['files'], programs: [] });
  });

  test('a line that does not say which programs it runs', () => {
    // @ts-expect-error -- guardrails allow programs by name
    line<object>()({ changes: [] });
  });

  test('lines of a step that are none of its kinds', () => {
    defineStep({
      key: 'odd',
      form: z.string(),
      toSpec: (file) => file,
      kinds: { odd: line<{ readonly word: string }>()({ changes: [], programs: [] }) },
      // @ts-expect-error -- there is no kind of line `even`
      lines: (word, name) => [{ kind: 'even', name, spec: { word } }],
      rules: [],
    });
  });
});
