// Whether each environment that was entered was opened by the people whom its gate and its guardrails name.
import type { VerifiedMessage } from '../messages.ts';
import { quorumMet } from '../quorum.ts';
import type { StepList } from '../step-list.ts';
import { demanded } from '../trusted-keys.ts';
import { type Case, type Found, type Line, nothing } from './case.ts';
import { reportFault } from './reports.ts';

/** Complaints about gates; `lines` are those of the messages, already judged. */
export function vouchGates(subject: Case, lines: readonly Line[], entered: readonly string[]): Found {
  const files = new Set(lines.filter(({ fault }) => fault === null).map(({ file }) => file));
  const good = subject.records.messages.filter(
    ({ file, refused }) => refused === undefined && files.has(file),
  );
  const faults = entered.flatMap((environment) => {
    const list = subject.lists?.get(environment);
    const signed = good
      .map(({ record }) => record)
      .filter((record) => record.signed.body.environment === environment);
    return list ? gateFaults(subject, list, signed).map((fault) => `${environment}: ${fault}`) : [];
  });
  return { ...nothing, faults, notes: good.flatMap(({ record }) => ofAnother(subject, record)) };
}

/** A gate report that a breach has voided was approved for nothing. */
function ofAnother({ records, check }: Case, { signed }: VerifiedMessage): readonly string[] {
  const { environment, gateReport } = signed.body;
  const opened = records.reports.find(
    ({ sealed, opened: did }) => did && sealed.gateReport.environment === environment,
  );
  return signed.message === 'approve' && opened && check.hash(opened.sealed.gateReport) !== gateReport
    ? [`the approval by ${signed.person} of ${environment} is about a gate report that did not open it`]
    : [];
}

function gateFaults(
  subject: Case,
  { gate, environment: { name } }: StepList,
  good: readonly VerifiedMessage[],
): readonly string[] {
  const approve = demanded(subject.keys, name, 'approve') ?? { each: [] };
  const each = [...new Set([...(gate?.approved?.roles ?? []), ...('each' in approve ? approve.each : [])])];
  const any = 'any' in approve ? approve.any : [];
  const attested = gate?.attested ?? [];
  if (each.length + any.length + attested.length + (gate?.sealed.length ?? 0) === 0) return [];
  const opened = subject.records.reports.find(
    ({ sealed, opened: did }) => did && sealed.gateReport.environment === name,
  );
  if (!opened) return ['the gate report that opened it is not in the package'];
  const sealed = subject.check.hash(opened.sealed.gateReport);
  const people = good
    .filter(({ signed }) => signed.message === 'approve' && signed.body['gateReport'] === sealed)
    .map((record) => ({ name: record.signed.person, roles: record.roles }));
  const missing = [...quorumMet({ each }, people).missing, ...quorumMet({ any }, people).missing];
  const fault = reportFault(subject, opened);
  const open = (gate?.sealed ?? []).filter((fact) => !Object.hasOwn(opened.sealed.gateReport.facts, fact));
  return [
    ...(fault === null ? [] : [fault]),
    ...open.map((fact) => `the gate report does not say that ${fact} holds`),
    ...missing.map((role) => `nobody vouches for the approval by ${role}`),
    ...attested
      .filter(({ id, role }) => !good.some((record) => attests(record, id, role)))
      .map(({ id, role }) => `nobody vouches for the attestation ${id} by ${role}`),
  ];
}

const attests = ({ signed, roles }: VerifiedMessage, id: string, role: string): boolean =>
  signed.message === 'attest' && signed.body['attestation'] === id && roles.includes(role);
