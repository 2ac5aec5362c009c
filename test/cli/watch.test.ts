// Watching without a server: what is drawn for a person, what is told to a log, and which exit code an
// outcome has.
import { describe, expect, test } from 'vitest';
import type { DeploymentStatus, EnvironmentStatus } from '../../src/client/status.ts';
import type { RunState } from '../../src/client/run-state.ts';
import { exitOfStatus } from '../../src/cli/exit-codes.ts';
import { renderStatus, whatNext } from '../../src/cli/render/status.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import { watch } from '../../src/cli/watch.ts';
import type { DeploymentOutcome, RolloutOutcome, RolloutResult } from '../../workflows/contract.ts';
import type { ShownProgress } from '../../src/client/shown-progress.ts';
import type { StepState } from '../../workflows/progress.ts';

const progress = (state: StepState, more: Partial<ShownProgress> = {}): ShownProgress => ({
  title: 'one',
  deployment: 'one',
  of: 'environment',
  phase: 'staging',
  health: 'good',
  waiting: [],
  waitingFor: null,
  next: null,
  notes: [],
  metrics: [],
  refusals: [],
  malformed: 0,
  lines: [
    {
      name: 'migrate',
      kind: 'migrate',
      state,
      summary: 'two\u001b[2J migrations\u202e applied',
      tookMs: state === 'pass' ? 1_500 : null,
    },
  ],
  ...more,
});

const place = (more: Partial<EnvironmentStatus> = {}): EnvironmentStatus => ({
  environment: 'staging',
  workflowId: 'rollout/shop/staging',
  runId: 'r',
  state: 'running',
  startedAt: '2026-01-01T00:00:00.000Z',
  closedAt: null,
  progress: progress('running'),
  history: null,
  result: null,
  lost: false,
  heldBy: null,
  afterwards: null,
  ...more,
});

const status = (more: Partial<DeploymentStatus> = {}): DeploymentStatus => ({
  deployment: 'one',
  service: 'shop',
  summary: 'Totals are never negative',
  requester: 'ann',
  commit: '0123456789abcdef',
  pace: null,
  workflowId: 'deployment/one',
  runId: 'd',
  state: 'running',
  startedAt: '2026-01-01T00:00:00.000Z',
  closedAt: null,
  progress: progress('running', { lines: [] }),
  history: null,
  result: null,
  environments: [place()],
  ...more,
});

const ended = (outcome: DeploymentOutcome): DeploymentStatus =>
  status({
    state: 'completed',
    environments: [place({ state: 'completed', progress: progress('pass') })],
    result: {
      deployment: 'one',
      outcome,
      reason: 'so it was',
      environments: [],
      evidence: { uri: 'x', manifest: 'y', files: 1 },
    },
  });

function screen(live: boolean): Terminal & { readonly drawn: string[]; readonly said: string[] } {
  const [drawn, said]: [string[], string[]] = [[], []];
  return {
    drawn,
    said,
    live,
    print: () => undefined,
    say: (text) => void said.push(text),
    draw: (text) => void drawn.push(text),
    paint: (_, text) => text,
    paintProgress: (_, text) => text,
    size: () => ({ columns: 40, rows: 8 }),
    confirm: async () => null,
    leaving: '',
  };
}

/** Hands these out one after the other. */
const reads = (...all: readonly DeploymentStatus[]) => {
  const left = [...all];
  return async () => (left.length > 1 ? left.shift()! : left[0]!);
};

describe('watch', () => {
  test('a terminal is drawn over, within its size, and with nothing that a summary smuggled in', async () => {
    const terminal = screen(true);
    expect((await watch(terminal, reads(status(), ended('completed')))).code).toBe(0);
    const [first, second] = terminal.drawn;
    const lines = first!.trimEnd().split('\n');
    expect(lines.length).toBeLessThan(8);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(40);
    expect(first).not.toContain('\u001b');
    expect(first).not.toContain('\u202e');
    expect(second).toContain(`\u001b[${lines.length}A\r\u001b[J`);
    expect(terminal.said).toEqual([]);
  });

  test('on a small screen what has passed makes room for what goes on', () => {
    const line = (name: string, state: StepState) => ({
      name,
      kind: 'check' as const,
      state,
      summary: '',
      tookMs: null,
    });
    const lines = [
      ...Array.from({ length: 20 }, (_, at) => line(`step-${at}`, 'pass')),
      line('restart', 'running'),
      line('health', 'waiting'),
    ];
    const environments = [
      place({ progress: progress('running', { lines, metrics: ['site/failures: 3 samples'] }) }),
    ];
    const drawn = (rows: number) =>
      renderStatus(status({ environments }), { paint: (_, text) => text, size: { columns: 80, rows } });
    const small = drawn(16).join('\n');
    expect(drawn(16).length).toBeLessThan(16);
    expect(small).toMatch(/✓ pass +16 steps\n.*✓ pass +step-16\n/u);
    expect(small).toMatch(/▶ running +restart\n.*· waiting +health\n/u);
    expect(small).toContain('site/failures');
    expect(drawn(60).join('\n')).toContain('step-0');
  });

  test('what goes on when all is over is shown with what was found, and the command that ends it', () => {
    const afterwards = (more: Partial<NonNullable<EnvironmentStatus['afterwards']>>) => ({
      ...place(),
      workflowId: 'afterwards/one/staging',
      history: null,
      result: null,
      progress: progress('pass', {
        health: 'troubled',
        notes: ['2026-01-08: shop/paid is 0.5, alert below 90%'],
        metrics: ['shop/paid: 0.5'],
      }),
      ...more,
    });
    const textOf = (more: Parameters<typeof afterwards>[0]) =>
      renderStatus(
        {
          ...ended('completed'),
          environments: [place({ state: 'completed', afterwards: afterwards(more) })],
        },
        { paint: (_, text) => text },
      ).join('\n');
    const goes = textOf({ state: 'running' });
    for (const line of [
      'post-deployment checks in staging: troubled',
      '2026-01-08: shop/paid is 0.5',
      '  shop/paid: 0.5',
      'next: soakgate stop-checks one staging --as YOU',
    ])
      expect(goes).toContain(line);
    expect(textOf({ state: 'running', progress: null })).toContain(
      'post-deployment checks in staging: no worker answers',
    );
    const over = textOf({ state: 'completed', result: 'ended by dan' });
    expect(over).toContain('post-deployment checks in staging: ended by dan');
    expect(over).not.toContain('next: soakgate stop-checks');
  });

  test('a log gets each change once', async () => {
    const terminal = screen(false);
    await watch(terminal, reads(status(), status(), ended('rolled-back')));
    const about = terminal.said.map((line) => line.replace(/^\d\d:\d\d:\d\dZ /u, ''));
    expect(about).toEqual([
      'one: staging, good',
      'staging, migrate: running: two [2J migrations  applied',
      'staging: staging',
      'one: rolled-back: so it was',
      'staging, migrate: pass (1.5 s): two [2J migrations  applied',
    ]);
    expect(terminal.drawn).toEqual([]);
  });

  test('gives up in time, and says that the deployment goes on', async () => {
    const terminal = screen(false);
    expect((await watch(terminal, reads(status()), 1)).code).toBe(124);
    expect(terminal.leaving).toContain('one continues');
  });
});

describe('the exit code', () => {
  test.each([
    ['completed', 0],
    ['failed', 1],
    ['rolled-back', 3],
    ['rejected', 4],
    ['expired', 4],
    ['stuck', 5],
  ] as const)('%s is %i', (outcome, code) => expect(exitOfStatus(ended(outcome))).toBe(code));

  const fallen = (environments: readonly EnvironmentStatus[]) =>
    exitOfStatus(status({ state: 'terminated', environments }));
  const went = (outcome: RolloutOutcome) =>
    place({
      state: 'completed',
      result: {
        environment: 'staging',
        outcome,
        reason: '',
        receipts: [],
        undos: [],
        differences: [],
        soak: null,
      },
    });

  test('of a terminated deployment is that of its rollouts', () => {
    expect(fallen([place()])).toBe(8);
    expect(fallen([went('restored')])).toBe(3);
    expect(fallen([went('restored'), went('stuck')])).toBe(5);
    expect(fallen([place({ state: 'terminated', lost: true })])).toBe(5);
    expect(fallen([place({ state: 'terminated' })]), 'it had not begun').toBe(1);
    // Nobody has sealed it as completed.
    expect(fallen([went('passed'), place({ state: 'none' })])).toBe(1);
  });
});

describe('what to do next', () => {
  test('a lost rollout is recovered before anything else', () => {
    const next = (lost: boolean) =>
      whatNext(status({ state: 'terminated', environments: [place({ state: 'terminated', lost })] })).next;
    expect(next(true)).toBe('soakgate recover one --as YOU');
    expect(next(false), 'nothing was done there').toBeNull();
  });

  test.each<[string | null, RunState, string]>([
    ['other', 'running', 'soakgate status other'],
    ['other', 'completed', 'soakgate recover other --as YOU'],
    ['other', 'terminated', 'soakgate recover other --as YOU'],
    ['other', 'none', 'soakgate release shop staging'],
    [null, 'none', 'soakgate release shop staging'],
  ])('who keeps it out: a run of %s, which is %s', (deployment, deploymentState, command) => {
    const heldBy = { workflowId: 'rollout/shop/staging', runId: 'h', deployment, deploymentState };
    const out = place({ state: 'none', runId: null, heldBy });
    expect(whatNext({ ...ended('failed'), environments: [out] })).toEqual({
      waiting: expect.stringContaining('staging is held by'),
      next: command,
    });
    const going = renderStatus(status({ environments: [out] }), { paint: (_tone, text) => text });
    expect(going.join('\n'), 'while it goes on').toContain(`: ${command}`);
  });

  test('a rollout’s question comes before the deployment’s', () => {
    const asking = progress('fail', {
      waitingFor: 'a decision (continue | stop)',
      next: 'soakgate decide one staging continue',
    });
    expect(whatNext(status({ environments: [place({ progress: asking })] }))).toEqual({
      waiting: 'a decision (continue | stop)',
      next: 'soakgate decide one staging continue --as YOU',
    });
  });

  test('what did not count, and what nobody could read, stands in the notes', () => {
    const refusals = [
      { message: 'approve', person: 'ann', environment: 'staging', why: 'refused: she asked for it' },
    ];
    const environments = [place({ progress: progress('pass', { refusals, malformed: 2 }) })];
    const text = renderStatus(status({ environments }), { paint: (_, line) => line }).join('\n');
    expect(text).toContain('approve by ann for staging: refused: she asked for it');
    expect(text).toContain('2 signals were unreadable and changed nothing');
  });

  test('a rollout that has ended is not called running because its deployment was ended before', () => {
    const result = { outcome: 'restored', reason: 'by hand' } as RolloutResult;
    const lines = [{ ...progress('running').lines[0]!, name: 'staging' }];
    const shown = status({
      state: 'terminated',
      progress: progress('running', { lines }),
      environments: [place({ state: 'completed', result, progress: progress('pass') })],
    });
    const text = renderStatus(shown, { paint: (_, line) => line }).join('\n');
    expect(text).toMatch(/↩ undone +staging/u);
    expect(text).not.toContain('▶ running');
  });

  test('states are words beside their marks', () => {
    expect(renderStatus(status(), { paint: (_, text) => text }).join('\n')).toMatch(
      / {2}▶ running +migrate/u,
    );
  });
});
