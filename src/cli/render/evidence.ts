// An evidence package as it was verified: the verdict, then who vouches for what, person by person.
import type { Line } from '../../core/vouch/case.ts';
import type { Vouching } from '../../core/vouch/vouch.ts';
import type { EvidenceVerdict } from '../../io/evidence.ts';
import { type Paint, visible } from '../terminal.ts';

const LISTED = 50;

/** What others wrote is shown without control signs. */
export function verdictLines(folder: string, verdict: EvidenceVerdict, paint: Paint): readonly string[] {
  const { state, problems, manifest, vouching } = verdict;
  return [
    `${visible(folder)}: ${paint(state === 'valid' ? 'good' : 'bad', state)}${manifest ? `, manifest ${visible(manifest)}` : ''}`,
    ...cut(problems).map((problem) => `  ${visible(problem)}`),
    ...(vouching ? vouchingLines(vouching, paint) : []),
  ];
}

function vouchingLines(vouching: Vouching, paint: Paint): readonly string[] {
  const { lines, faults, notes, refused, sealedOnly } = vouching;
  const good = lines.filter(({ fault }) => fault === null);
  const bad = lines.filter(({ fault }) => fault !== null);
  const signers = [...new Set(good.map(signer))];
  return [
    // One gate report may lie in two places.
    ...signers.flatMap((who) => [
      who,
      ...new Set(
        good
          .filter((line) => signer(line) === who)
          .map(({ what }) => `  ${paint('good', '✓')} ${visible(what)}: signature good`),
      ),
    ]),
    ...section('Not vouched for', [...bad.map(badText), ...faults], (text) => `${paint('bad', '✗')} ${text}`),
    ...section('Refused', refused.map(badText)),
    ...section('Sealed by the control key only', sealedOnly.length > 0 ? [sealedOnly.join(', ')] : []),
    ...section('Not proven', notes),
  ];
}

const signer = ({ who, roles }: Line): string =>
  visible(roles.length > 0 ? `${who} (${roles.join(', ')})` : who);

const badText = (line: Line): string => `${signer(line)} ${line.what}: ${line.fault} [${line.file}]`;

function section(
  title: string,
  texts: readonly string[],
  marked: (text: string) => string = (text) => text,
): readonly string[] {
  return texts.length === 0 ? [] : [title, ...cut(texts).map((text) => `  ${marked(visible(text))}`)];
}

/** The first lines, and how many there are besides. */
const cut = (texts: readonly string[]): readonly string[] =>
  texts.length <= LISTED ? texts : [...texts.slice(0, LISTED), `and ${texts.length - LISTED} more`];
