// Messages that one signature does not carry: where the guardrails name several roles (`each`), this worker keeps the
// signatures, each about the same words, until its quorum is full.
import type { MessageVerdict, VerifyInput } from '../../src/core/activities.ts';
import { canonical } from '../../src/core/canonical.ts';
import { count } from '../../src/core/count.ts';
import { type Quorum, quorumMet } from '../../src/core/quorum.ts';
import type { Signed } from '../../src/core/messages.ts';
import type { WorkerContext } from '../frame/step-context.ts';

/** What each signer says for himself; all else must be the same. */
const OWN_WORDS: readonly string[] = ['nonce', 'expires', 'reason', 'comment', 'loses'];

/** Whether it counts now, or whose signature is waited for; `judge` says again whether a kept signature is good. */
export async function countTogether(
  { permitStore }: WorkerContext,
  { signed, expect }: VerifyInput,
  quorum: Quorum,
  verdict: MessageVerdict,
  judge: (signed: Signed) => MessageVerdict,
): Promise<MessageVerdict> {
  if ('any' in quorum || quorum.each.length < 2 || stops(signed)) return verdict;
  if (await permitStore.completed(signed)) return verdict;
  const about = aboutOf(signed, expect.question);
  const kept = await permitStore.addSignature(about, signed);
  const people = kept.flatMap((one) => {
    const { accepted, person, roles } = judge(one);
    return accepted ? [{ name: person, roles }] : [];
  });
  const { met, missing } = quorumMet(quorum, people);
  if (!met) {
    const wanted = quorum.each.length;
    const signatures = `${wanted - missing.length} of ${count(wanted, 'signature')}`;
    return { ...verdict, waiting: `${signatures}, waiting for ${missing.join(', ')}` };
  }
  await permitStore.spendSignatures(about, signed);
  return verdict;
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
