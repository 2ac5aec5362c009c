// Who vouches for what in an evidence package: every signature by a trusted key, line by line, and what is left over.
import type { Case, Found, Line } from './case.ts';
import { vouchGates } from './gates.ts';
import { refusedLines, vouchMessages } from './messages.ts';
import { enteredIn, vouchOutcome } from './outcome.ts';
import { vouchReports, vouchStatements } from './reports.ts';
import { listsFound, vouchStart } from './start.ts';
import { vouchTogether } from './together.ts';

export interface Vouching {
  /** Every signed record that should count, with who vouches for it or why nobody does. */
  readonly lines: readonly Line[];
  /** What is wrong with the package as a whole. */
  readonly faults: readonly string[];
  /** What was not proven, and is no fault. */
  readonly notes: readonly string[];
  /** Messages that were refused, with the reason. */
  readonly refused: readonly Line[];
  /** What the control key alone has sealed: a file, or a folder with the number of its files. */
  readonly sealedOnly: readonly string[];
}

/** `names` are the files of the package. */
export function vouch(subject: Case, names: readonly string[]): Vouching {
  const signed = [
    vouchStart(subject),
    vouchMessages(subject),
    vouchStatements(subject),
    vouchReports(subject),
  ];
  const lines = signed.flatMap((found) => found.lines);
  const entered = enteredIn(subject, names);
  const rest: readonly Found[] = [
    ...signed,
    listsFound(subject),
    vouchGates(subject, lines, entered),
    vouchTogether(subject, lines),
    vouchOutcome(subject, lines, entered),
  ];
  return {
    lines,
    faults: [...subject.records.faults, ...rest.flatMap((found) => found.faults)],
    notes: [...rest.flatMap((found) => found.notes), ...rolesUnknown(subject)],
    refused: refusedLines(subject),
    sealedOnly: sealedOnly(names),
  };
}

/** Whether somebody vouches for everything that somebody should. */
export const isVouched = ({ lines, faults }: Vouching): boolean =>
  faults.length === 0 && lines.every(({ fault }) => fault === null);

function rolesUnknown({ keys }: Case): readonly string[] {
  const without = keys.sources.flatMap(({ people }) =>
    people.filter(({ roles }) => roles === null).map(({ name }) => name),
  );
  return without.length > 0
    ? [
        `the roles of ${[...new Set(without)].join(', ')}: the trust file names none, so the package's word counts`,
      ]
    : [];
}

const SIGNED = /^(?:approvals|statements|gate-reports|refused)\/|^plan\.yaml$/u;

function sealedOnly(names: readonly string[]): readonly string[] {
  const folders = new Map<string, number>();
  for (const name of names.filter((candidate) => !SIGNED.test(candidate))) {
    const at = name.indexOf('/');
    const folder = at < 0 ? name : name.slice(0, at + 1);
    folders.set(folder, (folders.get(folder) ?? 0) + 1);
  }
  return [...folders].map(([folder, files]) => (folder.endsWith('/') ? `${folder} (${files})` : folder));
}
