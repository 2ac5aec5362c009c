// Whether each role has signed where the guardrails of an environment name several for a decision, a rollback or a
// resume: a worker writes such a message down only when its last signature is there.
import { quorumMet } from '../quorum.ts';
import { needsOnePerson, sharedWords } from '../same-words.ts';
import { demanded } from '../trusted-keys.ts';
import { type Case, type FiledMessage, type Found, guardOf, type Line, nothing } from './case.ts';

/** Complaints about signatures that stand alone; `lines` are those of the messages, already judged. */
export function vouchTogether(subject: Case, lines: readonly Line[]): Found {
  const files = new Set(lines.filter(({ fault }) => fault === null).map(({ file }) => file));
  const groups = new Map<string, FiledMessage[]>();
  for (const filed of subject.records.messages) {
    const { signed } = filed.record;
    if (filed.refused !== undefined || !files.has(filed.file) || needsOnePerson(signed)) continue;
    const words = sharedWords(signed);
    groups.set(words, [...(groups.get(words) ?? []), filed]);
  }
  return { ...nothing, faults: [...groups.values()].flatMap((group) => groupFaults(subject, group)) };
}

function groupFaults({ keys }: Case, group: readonly FiledMessage[]): readonly string[] {
  const { message, body } = group[0]!.record.signed;
  const guard = guardOf[message];
  const quorum = guard && demanded(keys, body.environment, guard);
  if (!quorum || 'any' in quorum) return [];
  const people = group.map(({ record }) => ({ name: record.signed.person, roles: record.roles }));
  return quorumMet(quorum, people).missing.map(
    (role) => `${body.environment}: nobody vouches for the ${message} by ${role} (${group[0]!.file})`,
  );
}
