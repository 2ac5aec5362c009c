// Messages that one signature does not carry: where the guardrails name several roles (`each`), this worker keeps the
// signatures, each about the same words, until its quorum is full.
import type { VerifyInput } from '../../src/core/activities.ts';
import type { MessageVerdict } from '../../src/core/message-verdict.ts';
import { type Quorum, signaturesText } from '../../src/core/quorum.ts';
import type { Signed } from '../../src/core/messages.ts';
import { needsOnePerson, sharedWords } from '../../src/core/same-words.ts';
import type { WorkerContext } from '../frame/step-context.ts';

export type Together =
  /** It has counted with others before, whatever it is said to answer now. */
  | { readonly spent: true }
  | { readonly waiting: string }
  /** What counts with it, itself among them; `spend` is called once all of them are in the evidence. */
  | { readonly signatures: readonly Signed[]; readonly spend: () => Promise<void> };

/** Whether it counts now, or whose signature is waited for; `judge` says again whether a kept signature is good. */
export async function countTogether(
  { permitStore }: WorkerContext,
  { signed, expect }: VerifyInput,
  quorum: Quorum,
  judge: (signed: Signed) => Promise<MessageVerdict>,
): Promise<Together> {
  const alone = { signatures: [signed], spend: async () => undefined };
  if ('any' in quorum || quorum.each.length < 2 || needsOnePerson(signed)) return alone;
  const about = sharedWords(signed, expect.question);
  const before = await permitStore.completed(about, signed);
  if (before) return { ...alone, signatures: before };
  if (await permitStore.isSpent(signed)) return { spent: true };
  const kept = await permitStore.addSignature(about, signed);
  const judged = await Promise.all(
    kept.map(async (one) => ({
      one,
      verdict: await judge(one),
      spent: await permitStore.isSpent(one),
    })),
  );
  const counted = judged.filter(({ verdict, spent }) => verdict.accepted && !spent);
  const signatures = counted.map(({ one }) => one);
  const people = counted.map(({ one, verdict }) => ({ name: one.person, roles: verdict.roles }));
  const { met, text } = signaturesText(quorum, people);
  if (!met) return { waiting: text };
  return { signatures, spend: () => permitStore.spendSignatures(about, signed, signatures) };
}
