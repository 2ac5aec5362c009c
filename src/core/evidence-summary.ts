// SUMMARY.md: what one would send to a manager. What changed, what was checked with which figures, who
// decided, what was not proven.
import { acceptedText, allAccepted } from './accepted.ts';
import type { CloseEvidenceInput, EnvironmentOutcome } from './activities.ts';
import type { ClaimMeasured } from './claims.ts';
import { type Delta, ms, type PlaceRecord, table } from './evidence-delta.ts';
import { refusedLines } from './evidence-refused.ts';
import type { VerifiedMessage } from './messages.ts';
import { type Pace, paced } from './pace.ts';
import { aboutLines } from './plan/about.ts';
import { journalsOf } from './plan/migrators/index.ts';
import { decidedRows } from './evidence-decided.ts';
import type { Plan } from './plan/plan.ts';
import type { Receipt } from './receipts.ts';
import type { RefusedRecord } from './refused.ts';

export interface SummaryInput {
  readonly closing: CloseEvidenceInput;
  /** Null when the plan in the signed start does not parse here. */
  readonly plan: Plan | null;
  readonly deltas: readonly Delta[];
  readonly records: Readonly<Record<string, PlaceRecord>>;
  readonly decided: readonly VerifiedMessage[];
  readonly refused: RefusedRecord;
  readonly claims: readonly ClaimMeasured[];
  /** Histories that could not be fetched, and the like. */
  readonly troubles: readonly string[];
}

const outcomes: Readonly<Record<string, string>> = {
  completed: 'Every environment was changed, checked and observed as planned.',
  passed:
    'This environment was changed, checked and observed as planned; the deployment itself was ' +
    'terminated in Temporal.',
  failed: 'The deployment failed before any database change in that environment.',
  'rolled-back':
    'The deployment rolled back: its changes were undone and the result was compared with the ' +
    'recorded state.',
  restored:
    'The deployment rolled back: its changes were undone and the result was compared with the ' +
    'recorded state.',
  rejected: 'The deployment was rejected at a gate; earlier environments keep their changes.',
  expired: 'Nobody approved in time at a gate; earlier environments keep their changes.',
  stuck:
    'The rollback could not undo everything. The differences that remain are listed below and need a person.',
};

function outcomeText({ outcome, environments }: CloseEvidenceInput): string {
  return outcome === 'completed' && allAccepted(environments).length > 0
    ? 'Every environment was changed and came to the end of its plan; what did not pass was accepted.'
    : (outcomes[outcome] ?? '');
}

/** What was accepted stands in the first line: a deployment that people let continue did not simply pass. */
function headline({ deployment, outcome, environments }: CloseEvidenceInput): string {
  const accepted = acceptedText(allAccepted(environments));
  return `# ${deployment}: ${outcome}${accepted === '' ? '' : `, with ${accepted}`}`.replaceAll(/\s+/gu, ' ');
}

function acceptedLines({ environments }: CloseEvidenceInput): readonly string[] {
  const lines = allAccepted(environments).map(({ about, how }) => `- ${about} — ${how}`);
  return lines.length > 0 ? ['**Accepted, though it did not pass:**', '', ...lines, ''] : [];
}

export function summaryText(input: SummaryInput): string {
  const { closing, plan } = input;
  const { body, person } = closing.start;
  return [
    headline(closing),
    '',
    ...acceptedLines(closing),
    ...(body.pace ? [...stamp(body.pace, input), ''] : []),
    ...(plan ? [`**${plan.summary}**`, ''] : []),
    `${outcomeText(closing)} Requested by ${person}; commit \`${body.commit}\`; plan ` +
      `\`${body.planFile}\`, sha256 \`${body.plan}\`.`,
    '',
    ...table(
      '',
      ['environment', 'outcome', 'observed'],
      closing.environments.map((place) => [
        place.environment,
        place.outcome,
        observedText(place.environment, input),
      ]),
    ),
    '## What changed',
    '',
    ...input.deltas.flatMap(changes),
    'The complete list, object by object: `delta.md` (as JSON: `delta.json`).',
    '',
    '## What was checked',
    '',
    ...closing.environments.flatMap(checked),
    ...claimed(input),
    '## Who decided',
    '',
    ...decisions(input),
    ...refusedLines(input.refused),
    '## Not proven',
    '',
    ...unproven(input).map((line) => `- ${line}`),
    '',
    ...further(plan),
    '## This package',
    '',
    '`manifest.json` lists every other file with its sha256 and is signed by the control worker. ' +
      'Comparing with it finds every changed,',
    'added or missing file. `approvals/` has the signed messages, `logs/` the output of each step, ' +
      '`history/` the histories of Temporal.',
    '',
  ].join('\n');
}

/** Whom to call and where to read more, as the plan says it. */
function further(plan: Plan | null): readonly string[] {
  const lines = plan ? aboutLines(plan) : [];
  return lines.length > 0 ? ['## Contacts and links', '', ...lines.map((line) => `- ${line}`), ''] : [];
}

function stamp(pace: Pace, { closing, plan, records }: SummaryInput): string[] {
  const lengths = closing.environments.flatMap(({ environment }) => {
    const place = plan?.environments.find((candidate) => candidate.name === environment);
    const observation = place?.soak ?? place?.watch;
    if (!observation) return [];
    const real = records[environment]?.observed?.realMs ?? paced(observation.forMs, pace);
    return [
      `> ${environment}: ${place?.soak ? 'soak' : 'watch'} of ${words(observation.forMs)} in the ` +
        `plan, ${words(real)} in reality.`,
    ];
  });
  return [
    `> **DEMO**: a compressed run. ${words(pace.nominalMs)} of the plan passed in ` +
      `${words(pace.realMs)}; it proves nothing about days.`,
    ...lengths,
  ];
}

export function words(length: number): string {
  if (length >= 2 * 86_400_000) return `${+(length / 86_400_000).toFixed(1)} days`;
  if (length >= 2 * 3_600_000) return `${+(length / 3_600_000).toFixed(1)} hours`;
  return length >= 120_000
    ? `${+(length / 60_000).toFixed(1)} minutes`
    : `${+(length / 1000).toFixed(1)} seconds`;
}

function observedText(environment: string, { records, plan, closing }: SummaryInput): string {
  const observed = records[environment]?.observed;
  const afterwards = plan?.environments.find(({ name }) => name === environment)?.afterwards;
  const goesOn =
    afterwards &&
    closing.environments.some((place) => place.environment === environment && place.outcome === 'passed');
  return [
    observed ? `${observed.phase}: ${observed.metrics} metrics in ${words(observed.realMs)}` : 'not observed',
    ...(goesOn
      ? [
          `checked every ${words(afterwards.everyMs)} from now on, until you run \`soakgate ` +
            `stop-checks ${closing.deployment} ${environment}\``,
        ]
      : []),
  ].join('; ');
}

function changes(delta: Delta): string[] {
  const { added, removed, changed } = delta.catalog;
  const named = (what: string, list: readonly { readonly object: string }[]) =>
    list.length > 0 ? [`- ${what}: ${short(list.map((entry) => `\`${entry.object}\``))}`] : [];
  const fixed = delta.findings.filter((found) => found.was > 0);
  const http = delta.http.filter((entry) => entry.was && entry.is);
  const lines = [
    ...named('added', added),
    ...named('removed', removed),
    ...named('changed', changed),
    ...(delta.rows.length > 0
      ? [`- rows: ${short(delta.rows.map((row) => `${row.table} ${rowsText(row)}`))}`]
      : []),
    ...(fixed.length > 0
      ? [
          '- bad rows when last checked: ' +
            `${short(fixed.map((found) => `${found.category} ${found.was} → ${found.is ?? 'not checked again'}`))}` +
            (delta.outcome === 'passed' ? '' : '; they were not checked again after the rollback'),
        ]
      : []),
    ...(http.length > 0
      ? [
          '- mean answer: ' +
            `${short(http.map((entry) => `${entry.path} ${ms(entry.was?.mean)} → ${ms(entry.is?.mean)}`))}`,
        ]
      : []),
    ...delta.undone.map((line) => `- undone: ${line}`),
    ...delta.differences.map((line) => `- **differences remain**: ${line}`),
    ...delta.missing.map((line) => `- not compared: ${line}`),
  ];
  return [
    `**${delta.environment}** (${delta.outcome})`,
    '',
    ...(lines.length > 0 ? lines : ['- nothing: schema and rows are as before']),
    '',
  ];
}

const LISTED = 12;
const rowsText = ({ was, is }: Delta['rows'][number]): string =>
  was === is ? `${is}, other content` : `${was ?? 'none'} → ${is ?? 'none'}`;

const short = (list: readonly string[]): string =>
  list.length <= LISTED
    ? list.join(', ')
    : `${list.slice(0, LISTED).join(', ')} and ${list.length - LISTED} more`;

function checked({ environment, receipts, soak, comparison }: EnvironmentOutcome): string[] {
  return [
    ...table(
      environment,
      ['step', 'verdict', 'took', 'what'],
      receipts.map((receipt) => [
        receipt.step,
        receipt.verdict,
        `${(receipt.tookMs / 1000).toFixed(1)} s`,
        receipt.summary,
      ]),
    ),
    ...(soak ? ['Observed:', '', ...soak.split('\n').map((line) => `- ${line}`), ''] : []),
    ...(comparison
      ? [
          `After the rollback: ${comparison.summary}.`,
          '',
          ...comparison.writtenSince.map((line) => `- ${line}`),
          '',
        ]
      : []),
  ];
}

function claimed({ claims: measured }: SummaryInput): string[] {
  if (measured.length === 0) return [];
  const verdict = { true: 'holds', false: '**does not hold**', null: 'not measured' } as const;
  return [
    '## What was claimed',
    '',
    ...table(
      '',
      ['environment', 'claim', 'measured', 'verdict'],
      measured.map((line) => [line.environment, line.claim, line.measured, verdict[`${line.holds}`]]),
    ),
  ];
}

function decisions(input: SummaryInput): readonly string[] {
  return table('', ['who', 'roles', 'what', 'where', 'when', 'words'], decidedRows(input));
}

function unproven({ closing, plan, deltas, records, decided, troubles }: SummaryInput): string[] {
  const { pace } = closing.start.body;
  const places = closing.environments.flatMap((place) => {
    const of = (kind: string): Receipt | undefined =>
      place.receipts.findLast((receipt) => receipt.kind === kind);
    return [
      ...place.receipts
        .filter((receipt) => receipt.verdict !== 'pass' && receipt.verdict !== 'fail')
        .map((receipt) => `${place.environment}: ${receipt.step} is ${receipt.verdict}: ${receipt.summary}`),
      ...(of('migrate') && of('preview')?.figures?.['rehearsed'] !== 'up-down-up'
        ? [`${place.environment}: the rollback of the migration was not rehearsed up and down`]
        : []),
      ...(records[place.environment]?.observed ? [] : [`${place.environment}: not observed`]),
    ];
  });
  return [
    ...(pace ? ['The lengths of soak and watch: this run was compressed.'] : []),
    ...places,
    ...deltas.flatMap((delta) => delta.missing.map((line) => `${delta.environment}: ${line}`)),
    'Sequences are compared only as "not behind": a snapshot does not hold them.',
    ...(plan?.migrations ? journalsOf(plan.migrations) : []).map(
      (journal) => `The journal ${journal} is left out of every comparison.`,
    ),
    ...(decided.some(({ signed }) => signed.message === 'attest')
      ? ['Attestations are what people stated; nothing of it was measured.']
      : []),
    'The times are those of the workers; no outside clock has stamped them.',
    ...troubles,
  ];
}
