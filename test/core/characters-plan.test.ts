// The plan of the validation system: what its thresholds say of the numbers of the runbooks, and in which
// order it goes there and back.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { decide } from '../../src/core/matrix.ts';
import { aboutLines } from '../../src/core/plan/about.ts';
import { parsePlan } from '../../src/core/plan/parse.ts';
import type { Limit, Plan } from '../../src/core/plan/plan.ts';
import type { HttpCheck } from '../../src/core/plan/steps/check.ts';
import { outside } from '../../src/core/soak.ts';
import { compileSteps } from '../../src/core/compile.ts';
import type { StepList } from '../../src/core/step-list.ts';
import { orderRollback } from '../../src/core/rollback.ts';

const file = join(import.meta.dirname, '../../examples/validation-system/releases/v-next/soakgate.yaml');
const { plan } = parsePlan(readFileSync(file, 'utf8'), 'soakgate.yaml') as { plan: Plan };
const listOf = (environment: string): StepList =>
  compileSteps({ plan, environment, commit: 'c', files: {}, pace: null });
const judge = (threshold: Limit | undefined, value: number, role: 'objective' | 'alert') =>
  threshold === undefined || outside(threshold, value, 100, role);
/** In its objective, between target and alert, or beyond. */
function stands(id: string, value: number): 'fits' | 'misses' | 'alerts' {
  const [monitor = '', metric = ''] = id.split('/');
  const { objective, alert } = plan.monitors[monitor]!.metrics[metric]!;
  if (judge(alert, value, 'alert')) return 'alerts';
  return judge(objective, value, 'objective') ? 'misses' : 'fits';
}

test.each([
  ['S0-58, S0-61', 'validation/xp-success', 0.96, 0.94, 0.89],
  ['S0-57, S0-62', 'validation/xp-latency', 199, 300, 501],
  ['S0-59, S0-63', 'validation/scene-xp', 1, 0.995, 0.98],
  ['S0-64, S1-26', 'validation/violations', 0, 1, 11],
  ['S0-65', 'database/rollbacks', 0.009, 0.03, 0.051],
  ['S0-66', 'database/deadlocks', 0, 1, 2],
  ['S1-42, S1-55', 'validation/health', 90, 89, 79],
])('%s: %s of %d fits, %d misses the objective and %d alerts', (_, metric, good, between, bad) =>
  expect([good, between, bad].map((value) => stands(metric, value))).toEqual(['fits', 'misses', 'alerts']),
);

test(
  'a day counts as one for violations and deadlocks, and a rate says nothing below its number of ' +
    'samples',
  () => {
    const { validation, database } = plan.monitors;
    for (const metric of [validation!.metrics['violations'], database!.metrics['deadlocks']])
      expect([metric?.objective?.perDay, metric?.alert?.perDay]).toEqual([true, true]);
    expect(
      [...Object.values(validation!.metrics), ...Object.values(database!.metrics)].map(
        ({ samples }) => samples ?? null,
      ),
    ).toEqual([null, 20, 20, 5, null, null, 100]);
  },
);

test.each(['staging', 'production'])(
  'S0-83, S1-27, S1-56: in %s answers may take 109 ms where they took 100, and not 111',
  (environment) => {
    const step = listOf(environment).steps.find(({ name }) => name === 'performance')!;
    const { mean } = (step.spec as unknown as { http: HttpCheck }).http;
    expect([109, 111].map((ms) => outside(mean!, ms, 100, 'objective'))).toEqual([false, true]);
  },
);

test(
  'S1-37: in production nothing is fixed on the way; whatever is found there stops it before anything ' +
    'is changed',
  () => {
    const list = listOf('production');
    const data = list.steps.filter(({ kind }) => kind === 'checkData' || kind === 'fixData');
    expect(data.map(({ kind, spec, changes }) => [kind, spec['pass'], changes])).toEqual([
      ['checkData', 'last', []],
    ]);
    expect(list.steps.findIndex(({ kind }) => kind === 'checkData')).toBeLessThan(
      list.steps.findIndex(({ kind }) => kind === 'migrate'),
    );
    const answer = decide(list, { step: 'data', index: data[0]!.index, is: 'fail' });
    expect(answer).toMatchObject({ do: 'stop' });
  },
);

test('S0-01: a protection without one of its checks is refused by its name', () => {
  const remarks = (text: string) => {
    const result = parsePlan(text, 'soakgate.yaml');
    return 'plan' in result ? [] : result.complaints.map(({ path, message }) => `${path}: ${message}`);
  };
  expect(Object.keys(plan.protections ?? {})).toHaveLength(7);
  const text = readFileSync(file, 'utf8');
  expect(remarks(text)).toEqual([]);
  expect(remarks(text.replace(/ {2}- \{ step: flows,.*\n/u, ''))).toEqual(
    ['spends', 'awards'].map((what) => expect.stringContaining(`protections.${what}-in-one-transaction[1]`)),
  );
});

test('S0-104, S0-105, S1-59: whom to call is said for every role that decides, and where to read more', () => {
  expect(aboutLines(plan)).toEqual(
    expect.arrayContaining([
      'call technical-lead: tg-lead@example.org',
      'call on-call: +49 30 555 0100',
      'read design: docs/design/data_validation.md',
    ]),
  );
  const result = parsePlan(readFileSync(file, 'utf8').replace(/ {2}dba: .*\n/u, ''), 'soakgate.yaml');
  expect('plan' in result ? [] : result.complaints.map(({ message }) => message)).toEqual([
    'says not whom to call as "dba", who decides',
  ]);
});

test(
  'S1-40, S1-41: production is closed before the backup, restarts web and then proxy, and is opened ' +
    'after the health check',
  () => {
    const names = listOf('production').steps.map(({ name, kind, spec }) =>
      kind === 'restart' ? `restart ${String(spec['service'])}` : name,
    );
    const order = [
      'close-site',
      'backup',
      'migrate',
      'switch',
      'restart web',
      'restart proxy',
      'health',
      'open-site',
    ];
    expect(names.filter((name) => order.includes(name))).toEqual(order);
  },
);

test(
  'S0-67, S1-44, S1-45, S1-49, S1-50: the rollback of production closes the site, stops the app, takes ' +
    'schema, then code, restarts web and then proxy, and is opened last',
  () => {
    const { steps, environment } = listOf('production');
    const stack = steps.flatMap((step) =>
      step.undo ? [{ index: step.index, step: step.name, undo: step.undo }] : [],
    );
    const walked = orderRollback({
      kind: plan.kind,
      stack,
      passed: ['fixData', 'migrate'],
      fallback: null,
      backup: null,
      shut: environment.rollback,
    });
    expect(walked.map(({ undo }) => [undo.undo, undo.args['service']].filter(Boolean).join(' '))).toEqual([
      'closeSite',
      'stopServices',
      'downgrade',
      'revertSwitch',
      'revertRestart web',
      'revertRestart proxy',
      'endMaintenance',
    ]);
  },
);
