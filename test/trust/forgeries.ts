// Permits that an attacker might bring to production: each is an honest one, changed in one place, and the
// reason it is refused with.
import { twoPlacesPlan } from '../support/two-places.ts';
import type { Change } from './change.ts';

/** What an honest permit is signed with. */
export const ALL = [
  { message: 'attest', person: 'lea' },
  { message: 'approve', person: 'lea' },
  { message: 'approve', person: 'dan' },
] as const;

/** A time that is over. */
export const soon = new Date(Date.now() - 1_000).toISOString();

const far = new Date(Date.now() + 365 * 86_400_000).toISOString();

/** Signatures that do not prove what they should, by what is wrong with them. */
export const forged: Record<string, [Change, string]> = {
  'a start by somebody unknown': [{ start: { person: 'mallory' } }, 'production knows no person mallory'],
  'a start under another name than its key': [
    { start: { person: 'ann', key: 'mallory' } },
    'start by ann: the signature does not match the public key',
  ],
  'a start that somebody else has signed in the name of lea': [
    { start: { also: [{ person: 'lea', key: 'mallory' }] } },
    'start by ann, signed by lea: the signature does not match the public key',
  ],
  'a start that one person has signed twice': [
    { start: { also: [{ person: 'lea' }, { person: 'lea' }] } },
    'lea signs it twice',
  ],
  'a start with more signatures than are taken': [
    { start: { also: Array.from({ length: 10_000 }, (_, at) => ({ person: `lea${at}`, key: 'lea' })) } },
    'it carries 10001 signatures; at most 16 are taken',
  ],
  'whoever has co-signed the start approving': [
    { start: { also: [{ person: 'lea' }] } },
    'lea has signed the start of this deployment and cannot approve it',
  ],
  'a start by somebody without the role': [{ start: { person: 'dan' } }, 'needs a role of developer'],
  'a start whose time is over, where it is first used': [
    { plan: twoPlacesPlan('production', 'later'), start: { expiresMs: -1 } },
    'start by ann: the signature has expired',
  ],
  'a gate report by another key': [
    { gateReportKey: 'mallory' },
    'the gate report is not signed by the control key',
  ],
  'a gate report that does not hold': [
    {
      gateReport: (gateReport) => ({
        ...gateReport,
        facts: { ...gateReport.facts, 'soak-passed': { holds: false, why: '' } },
      }),
    },
    'the gate report does not hold: soak-passed',
  ],
  'a gate report that no worker has signed anything for': [
    { statement: null },
    'no worker has signed what it rests on: soak-passed',
  ],
  'a soak that the control worker has signed itself': [
    { statementKey: 'control' },
    'the statement of staging is not signed by its worker',
  ],
  'a soak that production has signed for itself': [
    { statementKey: 'production' },
    'the statement of staging is not signed by its worker',
  ],
  'a soak that production has signed of itself': [
    {
      statementKey: 'production',
      statement: (statement) => ({ ...statement, environment: 'production' }),
    },
    'names no key of the worker of production',
  ],
  'a soak of another deployment': [
    { statement: (statement) => ({ ...statement, deployment: 'earlier' }) },
    'the statement of staging is about another deployment',
  ],
  'a soak of another plan': [
    { statement: (statement) => ({ ...statement, plan: 'f'.repeat(64) }) },
    'the statement of staging is about another plan',
  ],
  'a soak of another commit': [
    { statement: (statement) => ({ ...statement, commit: 'f'.repeat(40) }) },
    'the statement of staging is about another commit',
  ],
  'a soak of another list': [
    { statement: (statement) => ({ ...statement, list: 'f'.repeat(64) }) },
    'the statement of staging is about another list',
  ],
  'a soak that was too short': [
    {
      statement: (statement) => ({
        ...statement,
        soak: { ...statement.soak, startedAt: statement.soak.endedAt - 3_600_000, observedMs: 3_600_000 },
      }),
    },
    'staging was observed 3600000 ms; the plan asks for 604800000 ms',
  ],
  'a soak that was longer than its time': [
    {
      statement: (statement) => ({
        ...statement,
        soak: { ...statement.soak, startedAt: statement.soak.endedAt - 3_600_000 },
      }),
    },
    'about no time that has passed',
  ],
  'a soak whose backup did not pass': [
    {
      statement: (statement) => ({
        ...statement,
        steps: statement.steps.map((step) =>
          step.kind === 'backup' ? { ...step, verdict: 'inconclusive' as const } : step,
        ),
      }),
    },
    'no backup has passed in staging',
  ],
  'a soak whose migration was not rehearsed': [
    { statement: (statement) => ({ ...statement, steps: statement.steps.slice(0, 1) }) },
    'no migration was rehearsed up-down-up in staging',
  ],
  'a gate report about another commit': [
    { gateReport: (gateReport) => ({ ...gateReport, commit: 'f'.repeat(40) }) },
    'the gate report is about something else',
  ],
  'an approval with another key': [
    { sign: [ALL[0], ALL[1], { message: 'approve', person: 'dan', key: 'ann' }] },
    'approval by dan: the signature does not match the public key',
  ],
  'an approval of another gate report': [
    { sign: [ALL[0], ALL[1], { message: 'approve', person: 'dan', body: { gateReport: 'f'.repeat(64) } }] },
    'the approval by dan is about something else',
  ],
  'an approval of another deployment': [
    { sign: [ALL[0], ALL[1], { message: 'approve', person: 'dan', body: { deployment: 'other' } }] },
    'the approval by dan is about something else',
  ],
  'an approval that is valid for a year': [
    { sign: [ALL[0], ALL[1], { message: 'approve', person: 'dan', body: { expires: far } }] },
    'approval by dan: not counted: it is valid until',
  ],
  'an attestation that is valid for a year': [
    { sign: [{ ...ALL[0], body: { expires: far } }, ALL[1], ALL[2]] },
    'attestation tried is missing',
  ],
  'an expired approval': [
    { sign: [ALL[0], ALL[1], { message: 'approve', person: 'dan', body: { expires: soon } }] },
    'approval by dan: the signature has expired',
  ],
  'an approval without an expiry': [
    { sign: [ALL[0], ALL[1], { message: 'approve', person: 'dan', body: { expires: 'never' } }] },
    'approval by dan: the signature has expired',
  ],
  'the requester approving': [
    { sign: [...ALL, { message: 'approve', person: 'ann' }] },
    'ann requested this deployment and cannot approve it',
  ],
  'one person for two roles': [
    { sign: [ALL[0], { message: 'approve', person: 'eve' }] },
    'approval is missing: dba',
  ],
  'one person for two roles, twice': [
    { sign: [ALL[0], { message: 'approve', person: 'eve' }, { message: 'approve', person: 'eve' }] },
    'approval is missing: dba',
  ],
  'an approval that is missing': [{ sign: [ALL[0], ALL[1]] }, 'approval is missing: dba'],
  'an attestation that is missing': [{ sign: [ALL[1], ALL[2]] }, 'attestation tried is missing'],
  'an attestation without the role': [
    { sign: [{ message: 'attest', person: 'dan' }, ALL[1], ALL[2]] },
    'attestation tried is missing',
  ],
  'an attestation of something else': [
    { sign: [{ message: 'attest', person: 'lea', body: { text: 'It was not tried' } }, ALL[1], ALL[2]] },
    'attestation tried is missing',
  ],
};

/** Plans looser than production's guardrails, by what is loose. */
export const loose: Record<string, [Change, string]> = {
  'a compressed run': [
    { pace: { nominalMs: 604_800_000, realMs: 60_000 } },
    'pace: this environment refuses a compressed run',
  ],
  'a watch that is too short': [
    { plan: twoPlacesPlan('staging', 'production').replace('watch: { for: 1d', 'watch: { for: 12h') },
    'demands at least 1 d',
  ],
  ...Object.fromEntries(
    ['./tools/psql', '/tmp/psql', 'tools/../psql', '/usr/bin/node'].map(
      (program): [string, [Change, string]] => [
        `another program than the allowed one of that name: ${program}`,
        [
          {
            plan: twoPlacesPlan('staging', 'production', {
              extra: `  - { step: look, check: { command: ["${program}", --version] } }\n`,
            }),
          },
          `step look runs ${program}, which this environment does not allow`,
        ],
      ],
    ),
  ),
  'a program that is not allowed': [
    {
      plan: twoPlacesPlan('staging', 'production', {
        extra: '  - { step: look, check: { command: [curl, http://example.org] } }\n',
      }),
    },
    'step look runs curl, which this environment does not allow',
  ],
};
