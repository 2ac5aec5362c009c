// Who vouches for each message in the package that counted: approvals, attestations, decisions and the rest.
import type { ApproveBody, AttestBody, Signed } from '../messages.ts';
import type { TrustedPerson } from '../trusted-keys.ts';
import {
  type Case,
  type FiledMessage,
  type Found,
  guardOf,
  type Line,
  nothing,
  roleFault,
  short,
  signerOf,
} from './case.ts';
import { reportFault } from './reports.ts';
import { signersOf } from '../start-signers.ts';

/** One line a message; a message that the package has twice counts once. */
export function vouchMessages(subject: Case): Found {
  const seen = new Set<string>();
  const lines = subject.records.messages
    .filter(({ refused }) => refused === undefined)
    .map((filed) => {
      const { nonce } = filed.record.signed.body;
      const line = lineOf(subject, filed);
      const twice = seen.has(nonce) ? 'it is in the package twice' : null;
      seen.add(nonce);
      return { ...line, fault: line.fault ?? twice };
    });
  return { ...nothing, lines };
}

/** Refused messages decide nothing; whether they are signed at all is said all the same. */
export function refusedLines(subject: Case): readonly Line[] {
  return subject.records.messages.flatMap((filed) => {
    if (filed.refused === undefined) return [];
    const { signed } = filed.record;
    const signer = signerOf(subject, signed, signed.body.environment);
    const signature = 'fault' in signer ? signer.fault : 'good signature';
    return [
      {
        ...lineFrom(filed, 'person' in signer ? signer.person : null),
        fault: `${filed.refused} (${signature})`,
      },
    ];
  });
}

function lineOf(subject: Case, filed: FiledMessage): Line {
  const { signed } = filed.record;
  const signer = signerOf(subject, signed, signed.body.environment);
  if ('fault' in signer) return { ...lineFrom(filed, null), fault: signer.fault };
  const { person } = signer;
  const fault =
    boundFault(subject, filed) ??
    rolesFault(filed, person) ??
    guardFault(subject, signed, person) ??
    aboutFault(subject, signed);
  return { ...lineFrom(filed, person), fault };
}

function lineFrom({ file, record }: FiledMessage, person: TrustedPerson | null): Line {
  return {
    who: record.signed.person,
    roles: person?.roles ?? [],
    what: whatOf(record.signed),
    file,
    fault: null,
  };
}

function whatOf({ message, body }: Signed): string {
  const where = body.environment;
  const text = (key: string) => (typeof body[key] === 'string' ? body[key] : '');
  if (message === 'approve') return `approved ${where}, gate report ${short(text('gateReport'))}`;
  if (message === 'attest') return `attested ${where}, ${text('attestation')}: ${text('text')}`;
  if (message === 'decide') return `decided in ${where}: ${text('decision')}`;
  if (message === 'reject') return `rejected ${where}${text('reason') && `: ${text('reason')}`}`;
  return `${message} in ${where}${text('fallback') && `: ${text('fallback')}`}`;
}

function boundFault({ manifest, start, check }: Case, { record }: FiledMessage): string | null {
  const { signed, at } = record;
  const { deployment, environment, expires } = signed.body;
  if (deployment !== manifest.deployment) return `it is about ${deployment}, another deployment`;
  if (start && !Object.hasOwn(start.lists, environment))
    return `this deployment has no environment ${environment}`;
  const { namespace } = signed.body;
  if (start && namespace !== start.namespace)
    return `it is signed for the namespace ${namespace}, the start for ${start.namespace}`;
  // The time is the worker's word, sealed by the control key only: it can show that a message came too late.
  return at !== null && !(check.time(at) <= check.time(expires))
    ? `it counted at ${at}, and expired at ${expires}`
    : null;
}

/** What the package says of somebody's roles is the control worker's word. */
function rolesFault({ record }: FiledMessage, person: TrustedPerson): string | null {
  const { roles: trusted } = person;
  const beyond = trusted === null ? [] : record.roles.filter((role) => !trusted.includes(role));
  return beyond.length > 0
    ? `the package gives ${person.name} the role ${beyond.join(', ')}, the trusted file does not`
    : null;
}

function guardFault(subject: Case, { message, body }: Signed, person: TrustedPerson): string | null {
  const guard = guardOf[message];
  return guard === undefined ? null : roleFault(subject, person, body.environment, guard);
}

function aboutFault(subject: Case, { message, person, body }: Signed): string | null {
  if (message === 'approve') return approvalFault(subject, person, body as unknown as ApproveBody);
  if (message !== 'attest') return null;
  const { plan, attestation, text, environment } = body as unknown as AttestBody;
  if (plan !== subject.start?.plan) return 'it is about another plan';
  const asked = subject.lists?.get(environment)?.gate?.attested.find(({ id }) => id === attestation);
  return asked && asked.text !== text ? `it attests other words; the gate asks for: ${asked.text}` : null;
}

function approvalFault(subject: Case, person: string, body: ApproveBody): string | null {
  const { start, requester, records } = subject;
  if (person === requester) return `${person} requested this deployment and cannot approve it`;
  if (records.start && signersOf(records.start).includes(person))
    return `${person} has signed the start of this deployment and cannot approve it`;
  const about = {
    plan: start?.plan,
    list: start && Object.hasOwn(start.lists, body.environment) ? start.lists[body.environment] : undefined,
    commit: start?.commit,
  };
  const other = Object.entries(about).find(([key, value]) => body[key as keyof typeof about] !== value);
  if (other) return `it is about another ${other[0]}`;
  const report = records.reports.find(
    ({ sealed }) => subject.check.hash(sealed.gateReport) === body.gateReport,
  );
  if (!report) return `the gate report ${short(body.gateReport)} that it approves is not in the package`;
  return reportFault(subject, report);
}
