// What an attempt hands back: timed, redacted, and in the evidence before anybody sees it.
import { cancellationSignal, log } from '@temporalio/activity';
import type { Receipt, UndoReceipt } from '../../src/core/receipts.ts';
import { redactJson } from '../../src/io/redact.ts';
import { evidenceFolder } from './artifact-paths.ts';
import { asFailure } from './as-activity.ts';
import type { Work } from './step-context.ts';

/** What a step finds out; name, kind and times are added here. */
export type StepResult = Omit<Receipt, 'step' | 'kind' | 'startedAt' | 'tookMs'>;
export type UndoResult = Omit<UndoReceipt, 'undo' | 'step' | 'tookMs'>;

/** The receipt of a step. */
export async function stepReceipt(
  work: Work,
  act: () => Promise<StepResult>,
  named: Pick<Receipt, 'step' | 'kind'> = { step: work.step.name, kind: work.step.kind },
): Promise<Receipt> {
  const startedAt = new Date().toISOString();
  const { result, tookMs } = await timed(work, act);
  return recorded(work, { ...named, ...result, startedAt, tookMs });
}

/** The receipt of an undo. */
export async function undoReceipt(
  work: Work,
  undo: string,
  act: () => Promise<UndoResult>,
): Promise<UndoReceipt> {
  const { result, tookMs } = await timed(work, act);
  return recorded(work, { undo, step: work.step.name, ...result, tookMs });
}

async function timed<T>(work: Work, act: () => Promise<T>): Promise<{ result: T; tookMs: number }> {
  const started = performance.now();
  const result = await coded(work, act);
  return { result: redactJson(result, work.secrets), tookMs: Math.round(performance.now() - started) };
}

/** One line for each attempt that came to its end; `receipts.json` holds what the workflow took. */
async function recorded<T extends Receipt | UndoReceipt>({ world, rollout }: Work, made: T): Promise<T> {
  await world.artifacts.append(
    `${evidenceFolder(rollout.deployment)}/logs/${rollout.environment}/receipts.jsonl`,
    JSON.stringify(made),
  );
  const said =
    'undo' in made
      ? `${made.undo} ${made.done ? 'done' : 'not done'}`
      : `${(made as Receipt).kind} ${(made as Receipt).verdict}`;
  log.info(`${said}: ${made.summary}`, { durationMs: made.tookMs });
  return made;
}

async function coded<T>(work: Work, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (cancellationSignal().aborted) throw error;
    throw asFailure(error, work.secrets);
  }
}
