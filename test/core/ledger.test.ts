// The worker's own record: every honest rollout is let through, whatever happens to it; of what a stranger asks, only
// what comes next. The honest one is played here by the matrix and by chance; the judge of the stranger counts for
// itself.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Ledger, LedgerEntry, LedgerLine } from '../../src/core/ledger.ts';
import { askedLater, ledgerOf } from '../../src/core/ledger-reading.ts';
import {
  forwardBarred,
  hasPassed,
  observationBarred,
  stepBarred,
  unansweredBreaches,
  undoAllowed,
  undoneAs,
} from '../../src/core/ledger-rules.ts';
import { decide, type Decision, type Trouble } from '../../src/core/matrix.ts';
import { parsePlan } from '../../src/core/plan/parse.ts';
import type { MatrixRow, Plan, ReleaseKind } from '../../src/core/plan/plan.ts';
import type { UndoReceipt } from '../../src/core/receipts.ts';
import { stillToUndo } from '../../src/core/rollback-walk.ts';
import { orderRollback } from '../../src/core/rollback.ts';
import { allowedUndos } from '../../src/core/allowed-undos.ts';
import { compileSteps } from '../../src/core/compile.ts';
import type { StackEntry, Step, StepKind, StepList } from '../../src/core/step-list.ts';
import { forwardEntry } from '../../src/core/undo.ts';
import { storyPlan } from '../support/story-plan.ts';

const FALLBACKS: StepList['fallbacks'] = {
  downgrade: { downgrade: { to: 'recorded' } },
  'old-backup': { restore: { loses: 'writes-since-backup' } },
  add: { forward: '0003_more' },
};
const { plan } = parsePlan(storyPlan(), 'soakgate.yaml') as { plan: Plan };
const compiled = compileSteps({
  plan,
  environment: 'staging',
  commit: 'c'.repeat(40),
  files: {},
  pace: null,
});
const rollback = { close: true, stop: ['web'] } as const;
const listOf = (kind: ReleaseKind, matrix: readonly MatrixRow[], shut: boolean): StepList => ({
  ...compiled,
  kind,
  matrix,
  fallbacks: FALLBACKS,
  environment: { ...compiled.environment, ...(shut && { rollback }) },
});

/** Chance, as fast-check shrinks it. */
class Chance {
  private at = 0;
  private readonly given: readonly number[];
  constructor(given: readonly number[]) {
    this.given = given;
  }
  below(n: number): number {
    return (this.given[this.at++ % this.given.length] ?? 0) % n;
  }
  of<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }
}

/** A worker's record that is being written; its clock moves an hour with each line. */
class Written {
  readonly entries: LedgerEntry[] = [];
  now = 0;
  readonly list: StepList;
  constructor(list: StepList) {
    this.list = list;
  }
  add(line: LedgerLine): void {
    this.now += 3_600_000;
    this.entries.push({ ...line, at: this.now } as LedgerEntry);
  }
  get ledger() {
    return ledgerOf(this.list, this.entries);
  }
}

/** As the worker answers it: nothing of the database is there to undo. */
const neverBegun = ({ begun }: Ledger, { index, undo }: Step, kind: string): boolean =>
  undo?.undo === kind && !begun.has(index) && !['code', 'maintenance'].includes(undo.family);

type Left = { readonly fallback: string | null };

/** A workflow as it is meant: by the matrix, by people who answer anything, with attempts that die. */
class Honest {
  readonly stack: StackEntry[] = [];
  readonly passed: StepKind[] = [];
  readonly undos: UndoReceipt[] = [];
  private nonce = 0;
  private forwards = 0;
  readonly written: Written;
  readonly chance: Chance;
  constructor(written: Written, chance: Chance) {
    this.written = written;
    this.chance = chance;
  }

  run(): string {
    const back = this.forward();
    return back ? this.back(back) : 'passed';
  }

  /** For a failure's message. */
  private get said(): string {
    const lines = this.written.entries.map(
      ({ at, ...entry }) => `${at / 3_600_000}h ${Object.values(entry).join(' ')}`,
    );
    return `${JSON.stringify(this.list.matrix)} ${lines.join('; ')}`;
  }

  private get list() {
    return this.written.list;
  }

  private forward(): Left | null {
    for (const step of this.list.steps) {
      if (step.undo) this.stack.push({ index: step.index, step: step.name, undo: step.undo });
      for (let tries = 0; ; tries += 1) {
        // Cancelled before the worker has taken it.
        if (this.chance.below(40) === 0) return { fallback: null };
        const trouble = this.attempt(step, tries);
        if (trouble === 'lost') return { fallback: null };
        const next = trouble === null ? 'on' : this.resolve(trouble);
        if (typeof next === 'object') return next;
        if (next === 'on') break;
      }
    }
    return this.observe();
  }

  /** `lost`: it passed, and the workflow was cancelled before it heard of it. */
  private attempt(step: Step, tries: number): Trouble | 'lost' | null {
    const { written, chance } = this;
    expect(stepBarred(this.list, written.ledger, step, written.now), `${step.name} ${this.said}`).toBeNull();
    const attempt = `${step.index}-${tries}`;
    written.add({ is: 'begun', index: step.index, attempt });
    const verdict =
      tries > 2 ? 'pass' : chance.of(['pass', 'pass', 'pass', 'fail', 'error', 'inconclusive', 'dies']);
    if (verdict === 'dies') return { step: step.name, index: step.index, is: 'error' };
    written.add({ is: 'ended', index: step.index, attempt, verdict: verdict as 'pass' });
    // An attempt that was given up ends late, and is not heard.
    if (tries > 0)
      written.add({ is: 'ended', index: step.index, attempt: `${step.index}-0`, verdict: 'error' });
    if (verdict === 'pass' && chance.below(30) === 0) return 'lost';
    if (verdict === 'pass') {
      this.passed.push(step.kind);
      return null;
    }
    return { step: step.name, index: step.index, is: verdict as 'fail' };
  }

  private say(message: string, word: string): void {
    const nonce = String(this.nonce++);
    const line = { is: 'signed', message, word, nonce, signedAt: this.written.now } as const;
    this.written.add(line);
    // Sent twice: the answer was lost.
    if (this.chance.below(3) === 0) this.written.add(line);
  }

  private resolve(trouble: Trouble): 'on' | 'again' | Left {
    const decision: Decision = decide(this.list, trouble);
    if (decision.do === 'continue') return 'on';
    if (decision.do === 'stop') return { fallback: null };
    if (decision.do === 'fallback') return this.fallback(decision.name);
    const options = decision.do === 'ask' ? decision.ask : ['continue', 'stop'];
    const left = decision.do === 'ask' ? decision.unanswered : undefined;
    let word = this.chance.of(options);
    if (left && this.chance.below(3) === 0) {
      this.written.now += left.afterMs;
      word = left.do;
    } else this.say('decide', word);
    if (word === 'continue') return 'on';
    if (word === 'stop') return { fallback: null };
    return Object.hasOwn(this.list.fallbacks, word) ? this.fallback(word) : 'again';
  }

  private fallback(name: string): 'on' | 'again' | Left {
    if (name !== 'add') return { fallback: name };
    const migrate = this.list.steps.find(({ kind }) => kind === 'migrate')!;
    const fix = { fallback: name, call: `call ${this.forwards++}` };
    this.stack.push(forwardEntry(migrate, name));
    // Two fail at most, so that a matrix that asks for it again and again comes to an end.
    const verdict = this.forwards < 3 ? this.chance.of(['pass', 'fail'] as const) : 'pass';
    for (let attempts = this.chance.below(3); attempts >= 0; attempts -= 1) {
      expect(
        forwardBarred(this.list, this.written.ledger, fix, this.written.now),
        `${name} ${this.said}`,
      ).toBeNull();
      this.written.add({ is: 'forwarding', index: migrate.index, ...fix });
      // Killed, failed for a moment, or its answer was lost: Temporal asks again.
      const before = this.chance.of(['dies', 'error', verdict] as const);
      if (attempts > 0 && before !== 'dies') this.written.add({ is: 'forwarded', ...fix, verdict: before });
    }
    this.written.add({ is: 'forwarded', ...fix, verdict });
    return verdict === 'pass' ? 'on' : this.resolve({ fallback: name, is: 'fail' });
  }

  private observe(): Left | null {
    const { written, chance, list } = this;
    for (let slices = chance.below(4); slices > 0; slices -= 1) {
      expect(observationBarred(list, written.ledger, written.now)).toBeNull();
      const [monitor, metric] = chance.of([['site', 'failures'] as const, ['shop', 'paid'] as const]);
      const breach = { monitor, metric, lastedMs: 0 };
      const trouble: Trouble = { ...breach, is: chance.of(['alert', 'inconclusive'] as const) };
      // What the matrix goes on past is not handed back as a breach.
      if (decide(list, trouble).do === 'continue') continue;
      written.add({ is: 'breach', ...breach, symptom: trouble.is as 'alert', text: '' });
      expect(hasPassed(list, written.ledger, written.now), 'a breach that nobody has answered').toBe(false);
      const next = this.resolve(trouble);
      if (typeof next === 'object') return next;
      expect(unansweredBreaches(list, written.ledger, written.now)).toEqual([]);
    }
    written.add({ is: 'observed', phase: 'soak' });
    return null;
  }

  private back({ fallback }: Left): string {
    const { written, chance, list } = this;
    let way = fallback;
    for (let tries = 0; ; tries += 1) {
      if (this.walk(way, tries > 2 ? null : chance.below(12))) break;
      const words = ['retry', 'downgrade', 'old-backup', 'leave-as-is'];
      const word = chance.of(words);
      this.say('decide', word);
      if (word === 'leave-as-is') return 'stuck';
      if (word !== 'retry') way = word;
    }
    written.add({ is: 'compared', equal: true });
    const touched = list.steps.some(
      ({ index, changes }) => changes.includes('database') && written.ledger.begun.has(index),
    );
    return touched || this.undos.length > 0 ? 'restored' : 'failed';
  }

  private walk(way: string | null, stops: number | null): boolean {
    const { written, list } = this;
    const entries = orderRollback({
      kind: list.kind,
      stack: this.stack,
      passed: this.passed,
      fallback: way === null ? null : list.fallbacks[way]!,
      backup: list.steps.find(({ kind }) => kind === 'backup')!,
      shut: list.environment.rollback,
    });
    for (const [at, entry] of stillToUndo(entries, this.undos, list).entries()) {
      const { undo } = entry.undo;
      const step = list.steps[entry.index]!;
      const ask = () =>
        expect(
          neverBegun(written.ledger, step, undo) ? {} : undoAllowed(list, written.ledger, step, undo),
          `${undo} ${entry.step} ${this.said}`,
        ).not.toHaveProperty('barred');
      ask();
      written.add({ is: 'undoing', undo, step: entry.step });
      const receipt = { undo, step: entry.step, summary: '', differences: [], tookMs: 0 };
      if (at === stops) {
        if (this.chance.below(2) > 0) written.add({ is: 'undone', undo, step: entry.step, done: false });
        if (['closeSite', 'stopServices'].includes(undo)) this.undos.push({ ...receipt, done: false });
        return false;
      }
      written.add({ is: 'undone', undo, step: entry.step, done: true });
      // Its answer was lost: it is asked for again.
      if (this.chance.below(4) === 0) ask();
      this.undos.push({ ...receipt, done: true });
    }
    return true;
  }
}

const word = fc.constantFrom('continue', 'freeze', 'stop', 'downgrade', 'old-backup', 'add');
const when = fc.constantFrom<MatrixRow['when']>(
  { step: 'any' },
  { step: 'migrate' },
  { step: 'data', is: 'inconclusive' },
  { step: 'backup', is: 'error' },
  { before: 'migrate' },
  { monitor: 'site/failures' },
  { monitor: 'any' },
  { fallback: 'add' },
  'rest',
);
const row: fc.Arbitrary<MatrixRow> = fc.oneof(
  fc.record({ when, do: word, severity: fc.constant('high' as const) }),
  fc.record({
    when,
    ask: fc.uniqueArray(fc.constantFrom('continue', 'stop', 'downgrade', 'add', 'fixed-manually'), {
      minLength: 1,
    }),
    severity: fc.constant('high' as const),
    unanswered: fc.record({ afterMs: fc.constant(7_200_000), do: word }),
  }),
) as fc.Arbitrary<MatrixRow>;
const kinds = fc.constantFrom<ReleaseKind>('constraints', 'columns', 'view', 'flags', 'code');
const lists = fc
  .tuple(kinds, fc.array(row, { maxLength: 5 }), fc.boolean())
  .map(([kind, matrix, shut]) => listOf(kind, matrix, shut));
const chances = fc.array(fc.nat(1_000), { minLength: 5, maxLength: 60 }).map((given) => new Chance(given));

describe('the honest rollout', () => {
  test('is never barred, and ends as it says, whatever fails and whatever people answer', () => {
    const ends = new Map<string, number>();
    fc.assert(
      fc.property(lists, chances, (list, chance) => {
        const written = new Written(list);
        const end = new Honest(written, chance).run();
        ends.set(end, (ends.get(end) ?? 0) + 1);
        const { ledger, now } = written;
        if (end === 'stuck') expect(ledger.left).toBe(true);
        else if (end === 'passed') expect(hasPassed(list, ledger, now)).toBe(true);
        else expect(undoneAs(list, ledger)).not.toBeNull();
      }),
      { numRuns: 2_000 },
    );
    expect([...ends.keys()].toSorted()).toEqual(['failed', 'passed', 'restored', 'stuck']);
  });
});

const STOPS: readonly MatrixRow[] = [{ when: 'rest', do: 'stop', severity: 'critical' }];

describe('a stranger', () => {
  test('runs no step before all before it have passed, none once another has begun, none in a rollback', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -2, max: 2 }), fc.boolean()), { maxLength: 60 }),
        (asked) => {
          const list = listOf('constraints', STOPS, false);
          const written = new Written(list);
          const done: number[] = [];
          let furthest = 0;
          for (const [number, [from, passes]] of asked.entries()) {
            const wanted = done.length + from;
            const step = list.steps[wanted];
            if (!step) continue;
            const allowed = stepBarred(list, written.ledger, step, written.now) === null;
            expect(allowed, step.name).toBe(wanted >= furthest && wanted <= done.length);
            if (!allowed) continue;
            furthest = wanted;
            const attempt = String(number);
            written.add({ is: 'begun', index: wanted, attempt });
            done.length = wanted;
            if (!passes) continue;
            written.add({ is: 'ended', index: wanted, attempt, verdict: 'pass' });
            done.push(wanted);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test('undoes nothing of the database while it serves, and nothing behind what comes first', () => {
    let undone = 0;
    fc.assert(
      fc.property(kinds, fc.array(fc.nat(), { minLength: 100, maxLength: 300 }), (kind, asked) => {
        const list = listOf(kind, STOPS, true);
        const written = new Written(list);
        for (const { index } of list.steps) {
          written.add({ is: 'begun', index, attempt: String(index) });
          written.add({ is: 'ended', index, attempt: String(index), verdict: 'pass' });
        }
        const serving = { site: true, web: true };
        const pairs = list.steps.flatMap((step) => allowedUndos(step, list).map((undo) => ({ step, undo })));
        for (const which of asked) {
          const { step, undo } = pairs[which % pairs.length]!;
          if ('barred' in undoAllowed(list, written.ledger, step, undo)) continue;
          expect(undo, 'nobody has signed a restore').not.toBe('restore');
          if (undo === 'closeSite') serving.site = false;
          if (undo === 'stopServices') serving.web = false;
          if (undo === 'endMaintenance') serving.site = true;
          if (undo === 'startServices' || undo === 'revertRestart') serving.web = true;
          // What was done before has nothing to do when it is asked for again.
          if (undo === 'downgrade' && !written.ledger.undos.some((one) => one.undo === undo && one.done))
            expect(serving).toEqual({ site: false, web: false });
          written.add({ is: 'undoing', undo, step: step.name });
          expect(list.steps.every((one) => stepBarred(list, written.ledger, one, written.now))).toBe(true);
          written.add({ is: 'undone', undo, step: step.name, done: true });
        }
        undone += written.ledger.undos.filter(({ done }) => done).length;
        const { ledger, now } = written;
        expect(undoneAs(list, ledger), 'nothing was compared').toBeNull();
        expect(hasPassed(list, ledger, now), 'nothing was observed').toBe(false);
      }),
      { numRuns: 300 },
    );
    expect(undone, 'most rollbacks went on').toBeGreaterThan(300);
  });

  test('ends nothing that has not ended', () => {
    const written = new Written(listOf('constraints', STOPS, false));
    const { list } = written;
    const end = () =>
      hasPassed(list, written.ledger, written.now) ? 'passed' : undoneAs(list, written.ledger);
    expect(end()).toBeNull();
    for (const { index } of list.steps) {
      expect(end()).toBeNull();
      written.add({ is: 'begun', index, attempt: '1' });
      written.add({ is: 'ended', index, attempt: '1', verdict: 'pass' });
    }
    expect(end(), 'nothing has been observed').toBeNull();
    written.add({ is: 'observed', phase: 'soak' });
    expect(end()).toBe('passed');
    written.add({
      is: 'breach',
      monitor: 'site',
      metric: 'failures',
      symptom: 'alert',
      lastedMs: 0,
      text: '',
    });
    expect(end()).toBeNull();
    written.add({
      is: 'signed',
      message: 'decide',
      word: 'leave-as-is',
      nonce: '1',
      signedAt: written.now,
    });
    expect(end()).toBeNull();
    expect(written.ledger.left).toBe(true);
  });
});

describe('a word that was held back', () => {
  const failing = listOf(
    'constraints',
    [{ when: 'rest', ask: ['continue', 'stop'], severity: 'high' }],
    false,
  );
  const signed = (written: Written, word: string, signedAt: number) =>
    written.add({ is: 'signed', message: 'decide', word, nonce: `${word} ${written.now}`, signedAt });
  const failed = (written: Written) => {
    written.add({ is: 'begun', index: 0, attempt: String(written.now) });
    written.add({ is: 'ended', index: 0, attempt: String(written.now - 3_600_000), verdict: 'inconclusive' });
    return written.now;
  };

  test('answers the question that it was signed about, and none that arose later', () => {
    const written = new Written(failing);
    const first = failed(written);
    const second = failed(written);
    expect(askedLater(failing, written.ledger, 'continue', first, written.now)).toBe(second);
    signed(written, 'continue', first);
    expect(written.ledger.over.has(0)).toBe(false);
    expect(stepBarred(failing, written.ledger, failing.steps[1]!, written.now)).toContain('comes before it');
    // Two clocks differ by some seconds.
    expect(askedLater(failing, written.ledger, 'continue', second - 30_000, written.now)).toBeNull();
    signed(written, 'continue', second - 30_000);
    expect(written.ledger.over.has(0)).toBe(true);
  });

  test('a stop from before a rollback does not leave the rollback as it is', () => {
    const written = new Written(failing);
    const before = failed(written);
    written.add({ is: 'undoing', undo: 'x', step: failing.steps[0]!.name });
    for (const word of ['stop', 'leave-as-is']) {
      signed(written, word, before);
      expect(written.ledger.left, word).toBe(false);
    }
    expect(askedLater(failing, written.ledger, 'leave-as-is', before, written.now)).toBe(
      written.ledger.backSince,
    );
    signed(written, 'leave-as-is', written.now);
    expect(written.ledger.left).toBe(true);
  });

  test('what is asked nowhere in this record is for others to judge', () => {
    const written = new Written(failing);
    expect(askedLater(failing, written.ledger, 'retry', 0, written.now)).toBeNull();
  });
});
