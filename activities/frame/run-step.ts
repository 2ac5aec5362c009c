// Wraps the one thing a step does into an activity: permit, heartbeat, hold where it writes, receipt, coded failure.
import {
  activityInfo,
  ApplicationFailure,
  cancellationSignal,
  CancelledFailure,
  heartbeat,
} from '@temporalio/activity';
import type { ForwardInput, StepInput, UndoInput } from '../../src/core/activities.ts';
import { type FailureCode, fail, failures, StepFailure } from '../../src/core/failures.ts';
import type { Receipt, UndoReceipt } from '../../src/core/receipts.ts';
import { allowedUndos } from '../../src/core/allowed-undos.ts';
import { raiseFence } from '../../src/io/fence.ts';
import { type TargetLock, takeTargetLock } from '../../src/io/target-lock.ts';
import { withSession } from '../../src/io/postgres.ts';
import { redact, redactJson } from '../../src/io/redact.ts';
import { evidenceFolder } from './artifact-paths.ts';
import { reopenTarget } from '../rollback/swap-names.ts';
import { openWork, type Work, type WorkerContext } from './step-context.ts';
import { countOwnWrites } from './write-counts.ts';

/** What a step finds out; name, kind and times are added here. */
export type StepResult = Omit<Receipt, 'step' | 'kind' | 'startedAt' | 'tookMs'>;
export type UndoResult = Omit<UndoReceipt, 'undo' | 'step' | 'tookMs'>;

const HEARTBEAT_MS = 1_000;
/** Written by the backup step under `used/`; without it nothing may change the database (rule 2). */
export const PROOF_NOTE = 'backup-proven.json';

/** A listed step opens its own activity only: `migrate` does not run on the permit of a look. */
async function openStep(world: WorkerContext, { rollout, step }: StepInput): Promise<Work> {
  const work = await openWork(world, rollout, step);
  const { activityType } = activityInfo();
  if (activityType !== step.kind)
    fail('NOT_PERMITTED', `step "${step.name}" is a ${step.kind}, not a ${activityType}`);
  return work;
}

async function openUndo(world: WorkerContext, { rollout, step }: UndoInput): Promise<Work> {
  const work = await openWork(world, rollout, step);
  const { activityType } = activityInfo();
  const allowed = allowedUndos(step, work.list);
  if (!allowed.some((undo) => undo === activityType))
    fail(
      'NOT_PERMITTED',
      `the undo of step "${step.name}" is ${allowed.join(' or ') || 'none'}, not ${activityType}`,
    );
  return work;
}

/** A step that only looks, or changes nothing in the database. */
export function looks(
  world: WorkerContext,
  act: (work: Work) => Promise<StepResult>,
): (input: StepInput) => Promise<Receipt> {
  return (input) => asActivity(async () => receipt(await openStep(world, input), act));
}

/** A step that may write to the target: proof first, then the hold, then the fence. */
export function writes(
  world: WorkerContext,
  act: (work: Work, hold: TargetLock) => Promise<StepResult>,
): (input: StepInput) => Promise<Receipt> {
  return (input) =>
    asActivity(async () => {
      const work = await openStep(world, input);
      return receipt(work, () => held(work, (hold) => act(work, hold)));
    });
}

/** A forward fix runs under the permit of the migration that it adds to. */
export function forwards(
  world: WorkerContext,
  act: (work: Work, hold: TargetLock, input: ForwardInput) => Promise<StepResult>,
): (input: ForwardInput) => Promise<Receipt> {
  return (input) =>
    asActivity(async () => {
      const work = await openWork(world, input.rollout, input.step);
      if (work.step.kind !== 'migrate')
        fail(
          'NOT_PERMITTED',
          `step "${work.step.name}" is a ${work.step.kind}, which no forward fix adds to`,
        );
      return receipt(work, () => held(work, (hold) => act(work, hold, input)), {
        step: `${work.step.name}: ${input.fallback}`,
        kind: 'forwardFix',
      });
    });
}

/** The step writes only if its declared changes say so. */
export function mayWrite(
  world: WorkerContext,
  act: (work: Work) => Promise<StepResult>,
): (input: StepInput) => Promise<Receipt> {
  const looking = looks(world, act);
  const writing = writes(world, (work) => act(work));
  return (input) => (input.step.changes.includes('database') ? writing(input) : looking(input));
}

/** An undo: the same hold, no proof asked; idempotent because its step may have half-run (rule 3). */
export function undoes(
  world: WorkerContext,
  act: (work: Work, input: UndoInput) => Promise<UndoResult>,
): (input: UndoInput) => Promise<UndoReceipt> {
  return undoAs(world, (work, input) =>
    work.step.changes.includes('database') ? undoHeld(work, () => act(work, input)) : act(work, input),
  );
}

/** What is shut or opened beside the database: nothing of the database is held for it. */
export function beside(
  world: WorkerContext,
  act: (work: Work, input: UndoInput) => Promise<UndoResult>,
): (input: UndoInput) => Promise<UndoReceipt> {
  return undoAs(world, act);
}

/** A restore holds the target, too; what it writes is another database, so nothing of it is counted as a write of ours. */
export function restores(
  world: WorkerContext,
  act: (work: Work, input: UndoInput) => Promise<UndoResult>,
): (input: UndoInput) => Promise<UndoReceipt> {
  return undoAs(world, async (work, input) => {
    // An attempt that was killed in the middle of the swap has left the door shut.
    await reopenTarget(work);
    return held(work, () => act(work, input), false);
  });
}

function undoAs(
  world: WorkerContext,
  act: (work: Work, input: UndoInput) => Promise<UndoResult>,
): (input: UndoInput) => Promise<UndoReceipt> {
  return (input) =>
    asActivity(async () => {
      const work = await openUndo(world, input);
      const started = performance.now();
      const outcome = await coded(work, () => act(work, input));
      const took = Math.round(performance.now() - started);
      const made: UndoReceipt = {
        undo: activityInfo().activityType,
        step: work.step.name,
        ...redactJson(outcome, work.secrets),
        tookMs: took,
      };
      await recordReceipt(work, made);
      return made;
    });
}

/** Without a proof its step cannot have written, so there is nothing to put back. */
async function undoHeld(work: Work, act: () => Promise<UndoResult>): Promise<UndoResult> {
  const proven = await work.world.permitStore.note(work.rollout, PROOF_NOTE);
  return proven === undefined
    ? { done: true, summary: 'the database was never changed', differences: [] }
    : held(work, act);
}

async function held<T>(work: Work, act: (hold: TargetLock) => Promise<T>, counted = true): Promise<T> {
  if ((await work.world.permitStore.note(work.rollout, PROOF_NOTE)) === undefined) {
    fail(
      'BACKUP_MISSING',
      `step "${work.step.name}" changes the database, but no backup of this rollout has been proven`,
    );
  }
  const hold = await takeTargetLock({
    url: work.url,
    rollout: work.rollout,
    tag: work.tag,
    processNotes: work.world.permitStore.processNotes(work.rollout),
  });
  try {
    if (hold.evicted.length > 0)
      await work.log(`ended what an earlier attempt left: ${hold.evicted.join(', ')}`);
    await withSession(work.url, work.tag, (session) => raiseFence(session, work.rollout, work.tag));
    await hold.recheck();
    return await (counted ? countOwnWrites(work, () => act(hold)) : act(hold));
  } finally {
    await hold.release();
  }
}

/** What is handed back, is redacted, and stands in the evidence before anybody is told. */
async function receipt(
  work: Work,
  act: (work: Work) => Promise<StepResult>,
  named: Pick<Receipt, 'step' | 'kind'> = { step: work.step.name, kind: work.step.kind },
): Promise<Receipt> {
  const startedAt = new Date().toISOString();
  const started = performance.now();
  const outcome = await coded(work, () => act(work));
  const took = Math.round(performance.now() - started);
  const made: Receipt = { ...named, ...redactJson(outcome, work.secrets), startedAt, tookMs: took };
  await recordReceipt(work, made);
  return made;
}

/** One line for each attempt that came to its end; `receipts.json` holds what the workflow took. */
async function recordReceipt({ world, rollout }: Work, made: Receipt | UndoReceipt): Promise<void> {
  await world.artifacts.append(
    `${evidenceFolder(rollout.deployment)}/logs/${rollout.environment}/receipts.jsonl`,
    JSON.stringify(made),
  );
}

async function coded<T>(work: Work, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (cancellationSignal().aborted) throw error;
    throw asFailure(error, work.secrets);
  }
}

/** Heartbeats while it runs, and turns failures into Temporal's with a code from the table (rule 5). */
export async function asActivity<T>(act: () => Promise<T>): Promise<T> {
  const beat = setInterval(() => heartbeat(), HEARTBEAT_MS);
  try {
    return await act();
  } catch (error) {
    if (cancellationSignal().aborted) throw new CancelledFailure('cancelled');
    throw asFailure(error);
  } finally {
    clearInterval(beat);
  }
}

export function asFailure(error: unknown, secrets: readonly string[] = []): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  const known = error instanceof StepFailure;
  const code: FailureCode = known ? error.code : 'STEP_CRASHED';
  const message = redact(error instanceof Error ? error.message : String(error), secrets);
  if (!known) console.error(`${activityInfo().activityType}:`, error);
  const details = known ? error.details.map((line) => redact(line, secrets)) : [];
  return ApplicationFailure.create({
    type: code,
    message: `${code}: ${message}`,
    nonRetryable: !failures[code].retryable,
    details: [{ code, remedy: failures[code].remedy, details }],
  });
}
