// Decision matrix, rollback and gate: who or what decides, and in which order things roll back.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { quorumMet } from '../../src/core/quorum.ts';
import { gateReportOf, judgeGate } from '../../src/core/gate.ts';
import { decide, type Trouble } from '../../src/core/matrix.ts';
import type { Signed, StartBody } from '../../src/core/messages.ts';
import { parsePlan } from '../../src/core/plan/parse.ts';
import type { MatrixRow, Plan, ReleaseKind, Fallback } from '../../src/core/plan/plan.ts';
import type { Receipt } from '../../src/core/receipts.ts';
import type { SignedStatement, SoakStatement } from '../../src/core/statements.ts';
import { compileSteps } from '../../src/core/compile.ts';
import type { StepKind, StepList } from '../../src/core/step-list.ts';
import { forwardEntry } from '../../src/core/undo.ts';
import { orderRollback } from '../../src/core/rollback.ts';
import type { StackEntry } from '../../src/core/step-list.ts';
import { storyPlan } from '../support/story-plan.ts';

const planOf = (text: string): Plan => {
  const parsed = parsePlan(text, 'soakgate.yaml');
  if (!('plan' in parsed)) throw new Error(JSON.stringify(parsed.complaints));
  return parsed.plan;
};
const plan = planOf(storyPlan());
const listOf = (environment = 'staging', from = plan): StepList =>
  compileSteps({ plan: from, environment, commit: 'c'.repeat(40), files: {}, pace: null });
const list = listOf();
const indexOf = (name: string) => list.steps.find((step) => step.name === name)!.index;
const broken = (step: string, is: 'fail' | 'error' | 'inconclusive' = 'fail'): Trouble => ({
  step,
  is,
  index: indexOf(step),
});
const monitor = (name: string, is: 'alert' | 'inconclusive' = 'alert', lastedMs = 0): Trouble => {
  const [of = '', metric = ''] = name.split('/');
  return { monitor: of, metric, is, lastedMs };
};
const withMatrix = (...matrix: MatrixRow[]): StepList => ({ ...list, matrix });

describe('the matrix', () => {
  test.each<[string, MatrixRow, Trouble, boolean]>([
    [
      'before a step: an earlier one fits',
      { when: { before: 'migrate' }, do: 'continue', severity: 'low' },
      broken('backup'),
      true,
    ],
    [
      'before a step: the step itself does not',
      { when: { before: 'migrate' }, do: 'continue', severity: 'low' },
      broken('migrate'),
      false,
    ],
    [
      'before a step that was compiled into several lines',
      { when: { before: 'data' }, do: 'continue', severity: 'low' },
      broken('backup'),
      true,
    ],
    ['a step: fail', { when: { step: 'migrate' }, do: 'continue', severity: 'low' }, broken('migrate'), true],
    [
      'a step: error',
      { when: { step: 'migrate' }, do: 'continue', severity: 'low' },
      broken('migrate', 'error'),
      true,
    ],
    [
      'a step: inconclusive only where written',
      { when: { step: 'migrate' }, do: 'continue', severity: 'low' },
      broken('migrate', 'inconclusive'),
      false,
    ],
    [
      'a step: one symptom',
      { when: { step: 'migrate', is: 'error' }, do: 'continue', severity: 'low' },
      broken('migrate'),
      false,
    ],
    [
      'a compiled line answers to its written name',
      { when: { step: 'data' }, do: 'continue', severity: 'low' },
      broken('data: fix'),
      true,
    ],
    [
      'a monitor by its name',
      { when: { monitor: 'site' }, do: 'continue', severity: 'low' },
      monitor('site/failures'),
      true,
    ],
    [
      'a monitor by its metric',
      { when: { monitor: 'site/failures' }, do: 'continue', severity: 'low' },
      monitor('site/failures'),
      true,
    ],
    [
      'another metric',
      { when: { monitor: 'site/latency' }, do: 'continue', severity: 'low' },
      monitor('site/failures'),
      false,
    ],
    [
      'any monitor, for so long',
      { when: { monitor: 'any', forMs: 10 }, do: 'continue', severity: 'low' },
      monitor('site/failures', 'alert', 9),
      false,
    ],
    [
      'a fallback that failed',
      { when: { fallback: 'downgrade' }, do: 'continue', severity: 'low' },
      { fallback: 'downgrade', is: 'fail' },
      true,
    ],
    [
      'rest is everything',
      { when: 'rest', do: 'continue', severity: 'low' },
      broken('restart', 'error'),
      true,
    ],
    [
      'rest is no silent monitor',
      { when: 'rest', do: 'freeze', severity: 'low' },
      monitor('site/failures', 'inconclusive'),
      false,
    ],
  ])('%s', (_, row, trouble, fits) => {
    const silent = 'monitor' in trouble && trouble.is === 'inconclusive';
    const decision = decide(withMatrix(row), trouble);
    expect(decision.do).toBe(fits ? row.do : silent ? 'continue' : 'stop');
    if (!fits) expect(decision.row).toMatch(/no line of the decision matrix matches|the soak cannot pass/u);
  });

  test('the first line that fits decides, whatever stands below', () => {
    const rows: MatrixRow[] = [
      { when: { step: 'migrate' }, do: 'downgrade', severity: 'high' },
      { when: 'rest', do: 'continue', severity: 'low' },
    ];
    expect(decide(withMatrix(...rows), broken('migrate'))).toMatchObject({
      do: 'fallback',
      name: 'downgrade',
      severity: 'high',
    });
  });

  test('a plan without a fitting line stops; a fallback that is not there stops', () => {
    expect(decide(withMatrix(), broken('migrate'))).toMatchObject({ do: 'stop', severity: 'critical' });
    const lost: MatrixRow = { when: 'rest', do: 'nowhere', severity: 'low' };
    expect(decide(withMatrix(lost), broken('migrate'))).toMatchObject({ do: 'stop', severity: 'critical' });
  });

  test('a silent monitor is acted on only where the matrix says inconclusive, and only after its `for`', () => {
    const rows: MatrixRow = {
      when: { monitor: 'any', is: 'inconclusive', forMs: 100 },
      ask: ['stop'],
      severity: 'high',
    };
    expect(decide(withMatrix(rows), monitor('site/failures', 'inconclusive', 99)).do).toBe('continue');
    expect(decide(withMatrix(rows), monitor('site/failures', 'inconclusive', 100)).do).toBe('ask');
  });

  test(
    'in a compressed run the `for` of a monitor passes as the days do, never below three seconds; what ' +
      'people have to answer in does not',
    () => {
      const rows: MatrixRow[] = [
        { when: { monitor: 'any', is: 'inconclusive', forMs: 86_400_000 }, ask: ['stop'], severity: 'high' },
        {
          when: { monitor: 'any', forMs: 1_800_000 },
          ask: ['stop'],
          unanswered: { afterMs: 14_400_000, do: 'stop' },
          severity: 'high',
        },
      ];
      const compressed = compileSteps({
        plan: { ...plan, matrix: rows },
        environment: 'staging',
        commit: 'c',
        files: {},
        pace: { nominalMs: 604_800_000, realMs: 60_000 },
      });
      expect(
        compressed.matrix.map(({ when, unanswered }) => [
          (when as { forMs: number }).forMs,
          unanswered?.afterMs,
        ]),
      ).toEqual([
        [8_571, undefined],
        [3_000, 14_400_000],
      ]);
    },
  );

  test('no trouble of a step ever means "go on" unless a line says so', () => {
    const rows = list.matrix.filter((row) => row.do !== 'continue');
    fc.assert(
      fc.property(
        fc.subarray([...rows]),
        fc.constantFrom(...list.steps),
        fc.constantFrom('fail', 'error', 'inconclusive'),
        (matrix, step, is) => {
          expect(decide(withMatrix(...matrix), { step: step.name, index: step.index, is }).do).not.toBe(
            'continue',
          );
        },
      ),
    );
  });
});

describe('the rollback', () => {
  const entry = (name: string): StackEntry => {
    const step = list.steps.find((candidate) => candidate.name === name)!;
    return { index: step.index, step: step.name, undo: step.undo! };
  };
  const full = ['data: fix', 'migrate', 'switch', 'restart'].map(entry);
  const walk = (
    kind: ReleaseKind,
    stack: readonly StackEntry[],
    passed: readonly StepKind[] = ['fixData', 'migrate'],
  ) => orderRollback({ kind, stack, passed, fallback: null, backup: null }).map(({ undo }) => undo.undo);

  test.each<[ReleaseKind, string[]]>([
    ['constraints', ['downgrade', 'revertSwitch', 'revertRestart']],
    ['view', ['downgrade', 'revertSwitch', 'revertRestart']],
    ['columns', ['revertSwitch', 'revertRestart', 'downgrade']],
    ['flags', ['revertSwitch', 'revertRestart', 'downgrade']],
    ['code', ['revertSwitch', 'revertRestart', 'downgrade']],
  ])('%s', (kind, order) => {
    expect(walk(kind, full)).toEqual(order);
    // Forward fixes came last of all, and are reversed before the migration that they added to.
    const forwards = ['relax', 'drop'].map((fallback) =>
      forwardEntry(
        list.steps.find((step) => step.kind === 'migrate')!,
        fallback,
      ),
    );
    const both = orderRollback({
      kind,
      stack: [...full, ...forwards],
      passed: ['fixData', 'migrate'],
      fallback: null,
      backup: null,
    });
    expect(both.map(({ undo }) => undo.undo)).toEqual(
      order.flatMap((undo) => (undo === 'downgrade' ? ['undoForward', 'undoForward', undo] : [undo])),
    );
    expect(both.flatMap(({ undo }) => undo.args['fallback'] ?? [])).toEqual(['drop', 'relax']);
  });

  test('fixed rows roll back only as long as the migration has not passed', () => {
    expect(walk('constraints', full.slice(0, 2), ['fixData'])).toEqual(['downgrade', 'undoFix']);
    expect(walk('constraints', full.slice(0, 2), ['fixData', 'migrate'])).toEqual(['downgrade']);
  });

  test(
    'S0-67, S1-44, S1-45: what the plan shuts is shut before the database rolls back, and opened when ' +
      'it has',
    () => {
      const shut = { close: true, stop: ['web', 'worker'] } as const;
      const names = (kind: ReleaseKind, stack: readonly StackEntry[], fallback: Fallback | null = null) => {
        const backup = list.steps.find((step) => step.kind === 'backup')!;
        const ran = orderRollback({ kind, stack, passed: ['migrate'], fallback, backup, shut });
        return ran.map(({ undo, step }) =>
          [undo.undo, (undo.args['services'] as string[] | undefined)?.join('+'), `(${step})`]
            .filter(Boolean)
            .join(' '),
        );
      };
      const open = ['startServices worker (migrate)', 'endMaintenance (migrate)'];
      expect(names('constraints', full)).toEqual([
        'closeSite (migrate)',
        'stopServices web+worker (migrate)',
        'downgrade (migrate)',
        'revertSwitch (switch)',
        'revertRestart (restart)',
        ...open,
      ]);
      expect(names('columns', full).slice(2), 'old code does not serve before').toEqual([
        'revertSwitch (switch)',
        'downgrade (migrate)',
        'revertRestart (restart)',
        ...open,
      ]);
      expect(names('constraints', full.slice(0, 2)).slice(-2)).toEqual([
        'startServices web+worker (migrate)',
        'endMaintenance (migrate)',
      ]);
      expect(names('constraints', full, { restore: { loses: 'writes-since-backup' } })[1]).toBe(
        'stopServices web+worker (backup)',
      );
      expect(names('columns', full, { codeRollback: true })).toEqual([
        'revertSwitch (switch)',
        'revertRestart (restart)',
      ]);
      const closed: StackEntry = {
        index: 1,
        step: 'close',
        undo: { undo: 'endMaintenance', family: 'maintenance', args: {} },
      };
      expect(names('constraints', [closed, ...full]).slice(-2)).toEqual([
        'startServices worker (migrate)',
        'endMaintenance (close)',
      ]);
    },
  );

  test('code back alone leaves the database as it is', () => {
    const ran = orderRollback({
      kind: 'columns',
      stack: full,
      passed: ['migrate'],
      fallback: { codeRollback: true },
      backup: null,
    });
    expect(ran.map(({ undo }) => undo.family)).toEqual(['code', 'code']);
  });

  test(
    'whatever was begun: nothing twice, nothing lost, and each checkout that rolls back is followed by ' +
      'one restart of each service',
    () => {
      const restart = (index: number, service: string): StackEntry => ({
        index,
        step: `restart ${service}`,
        undo: { undo: 'revertRestart', family: 'code', args: { service } },
      });
      const pool = [...full, restart(20, 'web'), restart(21, 'worker'), restart(22, 'worker')];
      const kinds = fc.constantFrom<ReleaseKind>('constraints', 'columns', 'view', 'flags', 'code');
      fc.assert(
        fc.property(kinds, fc.subarray(pool), (kind, stack) => {
          const ran = orderRollback({ kind, stack, passed: [], fallback: null, backup: null });
          const names = ran.map(({ undo }) => undo.undo);
          const services = stack
            .filter(({ undo }) => undo.undo === 'revertRestart')
            .map(({ undo }) => undo.args['service']);
          expect(names.filter((name) => name === 'revertRestart')).toHaveLength(new Set(services).size);
          expect(names.filter((name) => name !== 'revertRestart').sort()).toEqual(
            stack
              .map(({ undo }) => undo.undo)
              .filter((name) => name !== 'revertRestart')
              .sort(),
          );
          if (names.includes('revertRestart'))
            expect(names.lastIndexOf('revertSwitch')).toBeLessThan(names.indexOf('revertRestart'));
        }),
      );
    },
  );
});

describe('the gate', () => {
  const gated = listOf('production');
  const start = {
    message: 'start',
    person: 'ann',
    signature: '',
    body: { plan: 'p' },
  } as unknown as Signed<StartBody>;
  const receipt = (kind: string, more: Partial<Receipt> = {}): Receipt => ({
    step: kind,
    kind,
    verdict: 'pass',
    summary: kind,
    startedAt: '',
    tookMs: 0,
    ...more,
  });
  const good = [receipt('backup'), receipt('preview', { figures: { rehearsed: 'up-down-up' } })];
  const signed = (receipts: readonly Receipt[], commit: string): SignedStatement => ({
    signature: '',
    body: {
      says: 'soak-passed',
      commit,
      environment: 'staging',
      steps: receipts.map(({ step, kind, verdict, figures }) => ({
        step,
        kind,
        verdict,
        ...(typeof figures?.['rehearsed'] === 'string' && { rehearsed: figures['rehearsed'] }),
      })),
    } as unknown as SoakStatement,
  });
  const ask = (receipts: readonly Receipt[], more: { statement?: null; commit?: string } = {}) =>
    gateReportOf({
      deployment: 'd',
      list: gated,
      listHash: 'h',
      start,
      number: 1,
      before: {
        environment: 'staging',
        commit: gated.commit,
        soaked: 'fine',
        receipts,
        ...(more.statement !== null && { statement: signed(receipts, more.commit ?? gated.commit) }),
      },
    }).facts;
  const open = (facts: ReturnType<typeof ask>) =>
    Object.entries(facts).flatMap(([name, { holds }]) => (holds ? [] : [name]));

  test('every sealed fact rests on a receipt; the last one of its kind counts', () => {
    expect(open(ask(good))).toEqual([]);
    expect(open(ask(good, { statement: null })), 'whatever else is said').toHaveLength(4);
    expect(open(ask(good, { commit: 'other' }))).toEqual(['same-release']);
    expect(open(ask([receipt('backup')]))).toEqual(['rollback-rehearsed']);
    expect(open(ask([...good, receipt('backup', { verdict: 'fail' })]))).toEqual(['backup-proven']);
    expect(open(ask([receipt('backup'), receipt('preview', { figures: { rehearsed: 'up' } })]))).toEqual([
      'rollback-rehearsed',
    ]);
    expect(
      gateReportOf({ deployment: 'd', list: gated, listHash: 'h', start, number: 1, before: null }).facts[
        'soak-passed'
      ]?.holds,
    ).toBe(false);
  });

  const sealed = { gateReport: { number: 1 } as never, hash: 'h', signature: '' };
  const answer = (
    approvals: readonly { person: string; roles: readonly string[] }[],
    gateReport: typeof sealed | null = sealed,
  ) => judgeGate({ list: gated, gateReport, requester: 'ann', approvals, attestations: [] });

  test('the requester never counts, whatever her roles', () => {
    expect(
      answer([
        { person: 'ann', roles: ['lead', 'dba'] },
        { person: 'dan', roles: ['dba'] },
      ]),
    ).toEqual({ open: false, waiting: [{ kind: 'approval', roles: ['lead'] }] });
  });

  test('whoever signed the start beside the requester never counts either', () => {
    const approvals = [
      { person: 'lea', roles: ['lead'] },
      { person: 'dan', roles: ['dba'] },
    ];
    const state = { list: gated, gateReport: sealed, requester: 'ann', approvals, attestations: [] };
    expect(judgeGate(state).open).toBe(true);
    expect(judgeGate({ ...state, requesters: ['ann', 'dan'] })).toEqual({
      open: false,
      waiting: [{ kind: 'approval', roles: ['dba'] }],
    });
  });

  test('one person never fills two places; two who could each fill one do', () => {
    expect(answer([{ person: 'lea', roles: ['lead', 'dba'] }]).open).toBe(false);
    expect(
      answer([
        { person: 'lea', roles: ['lead', 'dba'] },
        { person: 'max', roles: ['lead'] },
      ]).open,
    ).toBe(true);
  });

  test('without a gate report nothing opens, however many approve', () => {
    expect(
      answer(
        [
          { person: 'lea', roles: ['lead'] },
          { person: 'dan', roles: ['dba'] },
        ],
        null,
      ).open,
    ).toBe(false);
  });

  test('a quorum is met exactly when its roles can be given to different people', () => {
    const role = fc.constantFrom<string>('a', 'b', 'c');
    const people = fc.array(fc.uniqueArray(role, { maxLength: 3 }), { maxLength: 4 });
    fc.assert(
      fc.property(fc.array(role, { maxLength: 4 }), people, (each, roles) => {
        const someone = roles.map((theirs, at) => ({ name: `p${at}`, roles: theirs }));
        const fits = (wanted: readonly string[], free: readonly (typeof someone)[number][]): boolean =>
          wanted.length === 0 ||
          free.some(
            (one) =>
              one.roles.includes(wanted[0]!) &&
              fits(
                wanted.slice(1),
                free.filter((other) => other !== one),
              ),
          );
        const { met, missing } = quorumMet({ each }, someone);
        expect(met).toBe(fits(each, someone));
        expect(missing.length === 0).toBe(met);
        if (!met)
          expect(
            quorumMet({ each }, [
              ...someone,
              ...missing.map((wanted, at) => ({ name: `x${at}`, roles: [wanted] })),
            ]).met,
          ).toBe(true);
      }),
    );
  });
});
