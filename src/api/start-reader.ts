// Reads the body of a start: JSON, shape, canonical hash, plan and steps. Its cost grows with the body, so that the
// server runs it in threads of their own (`start-threads.ts`), for which this file is the entry.
import { canonical } from '../core/canonical.ts';
import type { SignedStart, StartBody } from '../core/messages.ts';
import { renderComplaint } from '../core/plan/complaint.ts';
import { secretsIn } from '../io/plan-secrets.ts';
import { type CheckedStart, checkedStart } from '../client/recompile.ts';
import { messageOf, Problem } from '../client/problem.ts';
import { sha256 } from '../io/files.ts';
import { HttpProblem, type ProblemBody, problemBody, shapeProblem } from './problems.ts';
import { startSchema } from './signed.ts';

export interface ReadStart {
  readonly signed: SignedStart;
  readonly checked: CheckedStart;
  /** Of the canonical text: the same start has the same hash however it was written. */
  readonly hash: string;
}

/** Plain data, because it passes between threads. */
export type StartReading =
  | { readonly read: ReadStart }
  | { readonly refused: ProblemBody }
  /** What nobody foresaw: for the log alone. */
  | { readonly failed: string };

/** Never throws. */
export async function readStart(body: ArrayBuffer): Promise<StartReading> {
  try {
    return { read: await startOf(new TextDecoder().decode(body)) };
  } catch (error) {
    const refused = problemBody(error);
    return refused.status < 500 ? { refused } : { failed: messageOf(error) };
  }
}

async function startOf(text: string): Promise<ReadStart> {
  const { success, data, error } = startSchema.safeParse(jsonOf(text));
  if (!success) throw shapeProblem('json', error.issues);
  const signed = data as SignedStart;
  const checked = checkedStart(signed);
  await refuseSecrets(signed.body);
  return { signed, checked, hash: sha256(canonical(signed)) };
}

/** @throws Problem where the text of the plan holds what looks like a secret: it would stay in every history. */
async function refuseSecrets({ planText, planFile }: StartBody): Promise<void> {
  const details = (await secretsIn(planText, planFile)).map(renderComplaint);
  if (details.length > 0)
    throw new Problem('usage', 'the plan holds what looks like a secret', 'take it out, and sign again', {
      details,
    });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpProblem(400, new Problem('usage', 'the body is not JSON'));
  }
}
