// Messages that one signature does not carry: where the guardrails name several roles (`each`), this worker keeps the
// signatures, each about the same words, until its quorum is full.
import type { VerifyInput } from '../../src/core/activities.ts';
import type { MessageVerdict } from '../../src/core/message-verdict.ts';
import { canonical } from '../../src/core/canonical.ts';
import { count } from '../../src/core/count.ts';
import { type Quorum, quorumMet } from '../../src/core/quorum.ts';
import type { Signed } from '../../src/core/messages.ts';
import type { WorkerContext } from '../frame/step-context.ts';

/** What signers say for themselves; all else must be the same. */
const OWN_WORDS: readonly string[] = ['nonce', 'expires', 'reason', 'comment', 'loses'];

export type Together =
  | { readonly waiting: string }
  /** What counts with it, itself among them; `spend` is called once all of them are in the evidence. */
  | { readonly signatures: readonly Signed[]; readonly spend: () => Promise<void> };

/** Whether it counts now, or whose signature is waited for; `judge` says again whether a kept signature is good. */
export async function countTogether(
  { permitStore }: WorkerContext,
  { signed, expect }: VerifyInput,
  quorum: Quorum,
  judge: (signed: Signed) => MessageVerdict,
): Promise<Together> {
  const alone = { signatures: [signed], spend: async () => undefined };
  if ('any' in quorum || quorum.each.length < 2 || stops(signed)) return alone;
  const about = aboutOf(signed, expect.question);
  if (await permitStore.completed(about, signed)) return alone;
  const signatures = (await permitStore.addSignature(about, signed)).filter((one) => judge(one).accepted);
  const people = signatures.map((one) => ({ name: one.person, roles: judge(one).roles }));
  const { met, missing } = quorumMet(quorum, people);
  const wanted = quorum.each.length;
  if (!met)
    return {
      waiting: `${wanted - missing.length} of ${count(wanted, 'signature')}, waiting for ${missing.join(', ')}`,
    };
  return { signatures, spend: () => permitStore.spendSignatures(about, signed) };
}

/** What only stops, undoes without loss or looks needs one person. */
function stops({ message, body }: Signed): boolean {
  if (message === 'decide') return body['decision'] === 'stop';
  if (message === 'rollback') return typeof body['fallback'] !== 'string';
  return message !== 'resume';
}

function aboutOf({ message, body }: Signed, question = ''): string {
  const same = Object.entries(body).filter(([key]) => !OWN_WORDS.includes(key));
  return canonical({ message, question, body: Object.fromEntries(same) });
}
