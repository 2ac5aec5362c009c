// Who vouches for how it ended: each environment's worker states its own end, and a rejection is signed.
import { type Case, type Found, type Line, nothing } from './case.ts';

/** The environments that were entered, in the order of the plan, as the package shows it. */
export function enteredIn({ start, manifest, records }: Case, names: readonly string[]): readonly string[] {
  const all = Object.keys(start?.lists ?? {});
  if (manifest.outcome === 'completed') return all;
  const shown = (environment: string) =>
    records.statements.some(({ statement }) => statement.body.environment === environment) ||
    records.reports.some(({ sealed, opened }) => opened && sealed.gateReport.environment === environment) ||
    names.some(
      (name) => name.startsWith(`baseline/${environment}/`) || name.startsWith(`after/${environment}/`),
    );
  return all.filter(shown);
}

/** Complaints about the outcome; `lines` are those of messages and statements, already judged. */
export function vouchOutcome(subject: Case, lines: readonly Line[], entered: readonly string[]): Found {
  const { records, manifest, start } = subject;
  const good = (file: string) => lines.some((line) => line.file === file && line.fault === null);
  const ends = new Map(
    records.statements.flatMap(({ file, statement: { body } }) =>
      body.says === 'closed' && good(file) ? [[body.environment, body.outcome] as const] : [],
    ),
  );
  const open = entered.filter((environment) => !ends.has(environment));
  const faults = open.map(
    (environment) =>
      `${environment}: nobody vouches for how it ended; there is no good statement of its worker`,
  );
  const { outcome } = manifest;
  const all = Object.keys(start?.lists ?? {});
  const others = [...ends].filter(([, end]) => end !== 'passed');
  if (outcome === 'completed')
    faults.push(...others.map(([environment, end]) => `completed, but ${environment} was closed as ${end}`));
  else if (all.length > 0 && all.every((environment) => ends.get(environment) === 'passed'))
    if (outcome !== 'passed') faults.push(`${outcome}, but every environment was closed as passed`);
  const rejected = records.messages.some(
    ({ file, record, refused }) => refused === undefined && record.signed.message === 'reject' && good(file),
  );
  if (outcome === 'rejected' && !rejected) faults.push('rejected, but nobody vouches for a rejection');
  const wanted = wantedEnd(outcome);
  const stated = wanted === null || [...ends.values()].includes(wanted);
  if (!stated && entered.length > 0 && open.length === 0)
    faults.push(`${outcome}, but no worker states ${wanted}`);
  return { ...nothing, faults, notes: unstated(outcome, [...ends.values()]) };
}

/** How some environment must have been closed for an outcome; null where none must. */
function wantedEnd(outcome: string): string | null {
  if (outcome === 'rolled-back' || outcome === 'restored') return 'restored';
  return outcome === 'stuck' || outcome === 'passed' ? outcome : null;
}

function unstated(outcome: string, ends: readonly string[]): readonly string[] {
  const wanted = wantedEnd(outcome) ?? (outcome === 'failed' ? 'failed' : null);
  if (outcome === 'completed' || outcome === 'rejected' || (wanted !== null && ends.includes(wanted)))
    return [];
  return [`the outcome ${outcome} is the control worker's word: nobody else states it`];
}
