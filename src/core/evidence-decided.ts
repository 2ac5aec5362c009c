// Who decided: the rows of the SUMMARY's table of people, as the environments' workers have verified them.
import type { CloseEvidenceInput } from './activities.ts';
import type { PlaceRecord } from './evidence-delta.ts';
import type { VerifiedMessage } from './messages.ts';

type Row = readonly (string | null)[];

/** Who, roles, what, where, when, words: the start with everybody who signed it, then all else by its time. */
export function decidedRows({
  closing,
  decided,
  records,
}: {
  readonly closing: Pick<CloseEvidenceInput, 'start'>;
  readonly decided: readonly VerifiedMessage[];
  readonly records: Readonly<Record<string, Pick<PlaceRecord, 'startSigners'>>>;
}): readonly Row[] {
  const rows = [...decided]
    .sort((a, b) => (a.at ?? '').localeCompare(b.at ?? ''))
    .map(({ signed, roles, at }) => [
      signed.person,
      roles.join(', '),
      signed.message,
      signed.body.environment,
      at,
      wordsOf(signed.body),
    ]);
  const { person } = closing.start;
  return [[person, 'requester', 'start', 'all', null, ''], ...coSigned(person, records), ...rows];
}

/** What stands in the start is only claimed: a row for each whom some worker has verified. */
function coSigned(
  requester: string,
  records: Readonly<Record<string, Pick<PlaceRecord, 'startSigners'>>>,
): readonly Row[] {
  const places = Object.entries(records).flatMap(([environment, { startSigners }]) =>
    startSigners.map(({ name, roles }) => ({ name, roles, environment })),
  );
  const names = [...new Set(places.map(({ name }) => name))].filter((name) => name !== requester);
  return names.map((name) => {
    const own = places.filter((place) => place.name === name);
    const roles = [...new Set(own.flatMap((place) => place.roles))].join(', ');
    return [name, roles, 'start', own.map(({ environment }) => environment).join(', '), null, 'co-signed'];
  });
}

function wordsOf(body: Readonly<Record<string, unknown>>): string {
  return ['attestation', 'decision', 'reason', 'fallback', 'text', 'comment']
    .flatMap((name) => (typeof body[name] === 'string' ? [body[name]] : []))
    .join(': ');
}
