// What this worker wrote down of a rollout decides what may run next: a step after those before it, an undo in the
// order of its rollback, an end that was come to. Nothing that a workflow or a caller says is asked.
import type { ObserveInput, UndoInput } from '../../src/core/activities.ts';
import { fail } from '../../src/core/failures.ts';
import type { Ledger, LedgerLine } from '../../src/core/ledger.ts';
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
import type { Signed } from '../../src/core/messages.ts';
import type { Receipt, UndoReceipt } from '../../src/core/receipts.ts';
import { newSoak, type ObserveResult, type SoakState, summarise } from '../../src/core/soak.ts';
import type { StatedStep } from '../../src/core/statements.ts';
import type { Step, UndoKind } from '../../src/core/step-list.ts';
import { sha256 } from '../../src/io/files.ts';
import type { PermitStore, PermittedRollout } from '../../src/io/permit-store.ts';
import { rolloutHash } from '../../src/io/rollout-hash.ts';

/** What a slice of an observation begins with: the state of before, or at once what is still to be answered. */
export type Slice =
  | { readonly state: SoakState; readonly schema: number }
  | { readonly answer: ObserveResult };

/** Each `begin` throws StepFailure NOT_PERMITTED where the record does not allow it. */
export interface OwnRecord {
  beginStep(kept: PermittedRollout, step: Step, attempt: string): Promise<void>;
  /** The end of an attempt; its receipt, or null where it threw. */
  endStep(kept: PermittedRollout, step: Step, attempt: string, receipt: Receipt | null): Promise<void>;
  /** What it is run with, whatever was handed in; null where it was never begun here: there is nothing to undo. */
  beginUndo(
    kept: PermittedRollout,
    step: Step,
    undo: UndoKind,
    handed: UndoInput['args'],
  ): Promise<NonNullable<UndoInput['args']> | null>;
  endUndo(kept: PermittedRollout, step: Step, undo: UndoKind, receipt: UndoReceipt | null): Promise<void>;
  /** `call` names the call, whatever its attempt. */
  beginForward(kept: PermittedRollout, step: Step, fix: ForwardCall): Promise<void>;
  endForward(kept: PermittedRollout, fix: ForwardCall, receipt: Receipt | null): Promise<void>;
  beginSlice(kept: PermittedRollout, input: ObserveInput): Promise<Slice>;
  /** `schema` as its beginning gave it: what was read before a forward fix says nothing about the schema behind it. */
  endSlice(kept: PermittedRollout, input: ObserveInput, result: ObserveResult, schema: number): Promise<void>;
  compared(kept: PermittedRollout, equal: boolean): Promise<void>;
  /** Why a decision answers nothing that is asked now; null where it may. */
  tooEarly(deployment: string, environment: string, signed: Signed): Promise<string | null>;
  /** A message that counted. */
  signed(deployment: string, environment: string, signed: Signed): Promise<void>;
  /** What of the rollout this worker can state: its steps, its observation, and when that was last judged. */
  stated(kept: PermittedRollout): Promise<Stated>;
  /** How the rollout has ended. @throws StepFailure NOT_PERMITTED where it has not, or not as the caller says. */
  end(kept: PermittedRollout, outcome: string): Promise<string>;
}

export interface ForwardCall {
  readonly fallback: string;
  readonly call: string;
}

export interface Stated {
  readonly steps: readonly StatedStep[];
  /** Null where nothing was observed. */
  readonly observation: Judged | null;
}

interface Judged {
  readonly state: SoakState;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

const stateNote = (phase: string): string => `${phase}-state.json`;

/** The record that lies in the permit store. */
export function ownRecord(store: PermitStore): OwnRecord {
  const read = async ({ rollout, list }: PermittedRollout): Promise<Ledger> =>
    ledgerOf(list, await store.ledger(rollout));
  const add = ({ rollout }: PermittedRollout, line: LedgerLine) => store.addToLedger(rollout, line);
  return {
    beginStep: async (kept, step, attempt) => {
      bar(`step "${step.name}"`, stepBarred(kept.list, await read(kept), step, Date.now()));
      await add(kept, { is: 'begun', index: step.index, attempt });
    },
    endStep: async (kept, { index }, attempt, receipt) =>
      add(kept, {
        is: 'ended',
        index,
        attempt,
        verdict: receipt?.verdict ?? 'error',
        ...(receipt && { receipt: { kind: receipt.kind, figures: shortOf(receipt) } }),
      }),
    beginUndo: async (kept, step, undo) => {
      const ledger = await read(kept);
      if (neverBegun(ledger, step, undo)) {
        await add(kept, { is: 'undoing', undo, step: step.name });
        await add(kept, { is: 'undone', undo, step: step.name, done: true });
        return null;
      }
      const allowed = undoAllowed(kept.list, ledger, step, undo);
      bar(`${undo} of step "${step.name}"`, 'barred' in allowed ? allowed.barred : null);
      await add(kept, { is: 'undoing', undo, step: step.name });
      return 'args' in allowed ? allowed.args : null;
    },
    // What shuts may have shut something before it failed.
    endUndo: async (kept, step, undo, receipt) =>
      add(kept, { is: 'undone', undo, step: step.name, done: receipt?.done ?? false }),
    beginForward: async (kept, { index }, fix) => {
      bar(`forward fix ${fix.fallback}`, forwardBarred(kept.list, await read(kept), fix, Date.now()));
      await add(kept, { is: 'forwarding', index, ...fix });
    },
    endForward: async (kept, fix, receipt) => {
      await add(kept, { is: 'forwarded', ...fix, verdict: receipt?.verdict ?? 'error' });
      if (receipt?.verdict === 'pass') await observeAnew(store, kept);
    },
    beginSlice: async (kept, input) => beginSlice(store, kept, await read(kept), input),
    endSlice: async (kept, input, result, schema) => {
      if ((await read(kept)).forwards === schema) await endSlice(store, kept, input, result);
    },
    compared: (kept, equal) => add(kept, { is: 'compared', equal }),
    tooEarly: (deployment, environment, signed) => tooEarly(store, deployment, environment, signed),
    signed: (deployment, environment, signed) => takeSigned(store, deployment, environment, signed),
    stated: async (kept) => stated(store, kept),
    end: async (kept, outcome) => endAs(kept, await read(kept), outcome),
  };
}

/**
 * Nothing of the database is there to undo. What serves is put back all the same: the rollback itself may have shut it.
 */
function neverBegun({ begun, stack }: Ledger, step: Step, undo: UndoKind): boolean {
  if (undo === 'undoForward') return !stack.some((entry) => entry.undo.undo === undo);
  const own = step.undo?.undo === undo && !begun.has(step.index);
  return own && !['code', 'maintenance'].includes(step.undo!.family);
}

function bar(what: string, why: string | null): void {
  if (why !== null) fail('NOT_PERMITTED', `${what} may not run now, by this worker's own record: ${why}`);
}

/** Numbers and short words. */
const shortOf = ({ figures = {} }: Receipt): Readonly<Record<string, number | string>> =>
  Object.fromEntries(
    Object.entries(figures).flatMap(([name, value]) =>
      typeof value === 'number' || (typeof value === 'string' && value.length <= 64) ? [[name, value]] : [],
    ),
  );

async function judgedOf(
  store: PermitStore,
  { rollout }: PermittedRollout,
  phase: string,
): Promise<Judged | null> {
  const text = await store.note(rollout, stateNote(phase));
  return text === undefined ? null : (JSON.parse(text) as Judged);
}

const keepState = (store: PermitStore, { rollout }: PermittedRollout, phase: string, state: SoakState) =>
  store.noteAgain(rollout, stateNote(phase), JSON.stringify({ state, at: Date.now() } satisfies Judged));

async function stated(store: PermitStore, kept: PermittedRollout): Promise<Stated> {
  const { list, rollout } = kept;
  const ends = new Map<number, StatedStep>();
  for (const entry of await store.ledger(rollout)) {
    const step = entry.is === 'ended' ? list.steps[entry.index] : undefined;
    if (entry.is !== 'ended' || !step) continue;
    const rehearsed = entry.receipt?.figures?.['rehearsed'];
    const { verdict } = entry;
    ends.set(step.index, {
      step: step.name,
      kind: step.kind,
      verdict,
      ...(typeof rehearsed === 'string' && { rehearsed }),
    });
  }
  const phase = list.environment.soak ? 'soak' : 'watch';
  return { steps: [...ends.values()], observation: await judgedOf(store, kept, phase) };
}

/** Goes on from the state that is kept here; what is handed in can only make the soak longer. */
async function beginSlice(
  store: PermitStore,
  kept: PermittedRollout,
  ledger: Ledger,
  { phase, state: handed, asking }: ObserveInput,
): Promise<Slice> {
  const now = Date.now();
  bar('observe', observationBarred(kept.list, ledger, now));
  const own = (await judgedOf(store, kept, phase))?.state ?? newSoak();
  const extendedMs = Math.max(own.extendedMs, Number(handed.extendedMs) || 0);
  const state: SoakState = { ...own, extendedMs };
  const schema = ledger.forwards;
  if (asking) return { state, schema };
  const breaches = unansweredBreaches(kept.list, ledger, now).map(({ trouble, text }) => ({
    ...trouble,
    is: trouble.is as 'alert' | 'inconclusive',
    text,
  }));
  // Found by an attempt whose answer was lost.
  const passed = state.passed && !handed.passed;
  if (breaches.length === 0 && !passed) return { state, schema };
  const verdict = passed && breaches.length === 0 ? 'passed' : null;
  return { answer: { state, breaches, metrics: 0, summary: summarise(state), verdict } };
}

async function endSlice(
  store: PermitStore,
  kept: PermittedRollout,
  { phase }: ObserveInput,
  { state, breaches, verdict }: ObserveResult,
): Promise<void> {
  const { rollout } = kept;
  for (const { monitor, metric, is: symptom, lastedMs, text } of breaches)
    await store.addToLedger(rollout, { is: 'breach', monitor, metric, symptom, lastedMs, text });
  if (verdict === 'passed') await store.addToLedger(rollout, { is: 'observed', phase });
  const found = breaches.map(({ monitor, metric }) => `${monitor}/${metric}`);
  const voided = state.passed && breaches.length > 0;
  const own: SoakState = {
    ...state,
    acknowledged: [...new Set([...state.acknowledged, ...found])],
    passed: verdict === 'passed' || (state.passed && !voided),
    ...(voided && { cleanSince: null }),
  };
  await keepState(store, kept, phase, own);
}

/** After a forward fix it is another schema that is observed. */
async function observeAnew(store: PermitStore, kept: PermittedRollout): Promise<void> {
  for (const phase of ['soak', 'watch']) {
    const judged = await judgedOf(store, kept, phase);
    if (!judged) continue;
    const { baseline, counters, since, bytes } = judged.state;
    await keepState(store, kept, phase, { ...newSoak(baseline), counters, since, bytes });
  }
}

async function tooEarly(
  store: PermitStore,
  deployment: string,
  environment: string,
  { message, body }: Signed,
): Promise<string | null> {
  const kept = await store.rollout({ hash: rolloutHash(deployment, environment) });
  if (message !== 'decide' || kept === undefined) return null;
  const ledger = ledgerOf(kept.list, await store.ledger(kept.rollout));
  const since = askedLater(
    kept.list,
    ledger,
    String(body['decision']),
    Date.parse(body.signedAt),
    Date.now(),
  );
  return since === null
    ? null
    : `it was signed at ${body.signedAt}, before this question arose (${new Date(since).toISOString()}); read the ` +
        'question and sign again';
}

async function takeSigned(
  store: PermitStore,
  deployment: string,
  environment: string,
  { message, person, body }: Signed,
): Promise<void> {
  const rollout = { hash: rolloutHash(deployment, environment) };
  if (message !== 'decide' && message !== 'rollback') return;
  if ((await store.rollout(rollout)) === undefined || (await store.closed(rollout)) !== undefined) return;
  const said = message === 'decide' ? body['decision'] : body['fallback'];
  const word = typeof said === 'string' ? said : null;
  await store.addToLedger(rollout, {
    is: 'signed',
    message,
    word,
    nonce: sha256(`${person}\n${body.nonce}`),
    signedAt: Date.parse(body.signedAt),
  });
}

function endAs({ list, rollout }: PermittedRollout, ledger: Ledger, outcome: string): string {
  if (outcome === 'stuck' && ledger.left) return 'stuck';
  if (outcome === 'passed' && hasPassed(list, ledger, Date.now())) return 'passed';
  const undone = undoneAs(list, ledger);
  if (undone !== null && (outcome === 'restored' || outcome === 'failed')) return undone;
  return fail(
    'NOT_PERMITTED',
    `the rollout of ${rollout.deployment} in ${rollout.environment} has not ended as ${outcome}, by this worker's ` +
      'own record',
  );
}
