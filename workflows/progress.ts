// Where are we: current details for the Web UI, a query for the CLI, search attributes for the list.
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { defineQuery, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';

export const attributeKeys = {
  service: defineSearchAttributeKey('SoakgateService', SearchAttributeType.KEYWORD),
  environment: defineSearchAttributeKey('SoakgateEnvironment', SearchAttributeType.KEYWORD),
  phase: defineSearchAttributeKey('SoakgatePhase', SearchAttributeType.KEYWORD),
  verdict: defineSearchAttributeKey('SoakgateVerdict', SearchAttributeType.KEYWORD),
  waitingFor: defineSearchAttributeKey('SoakgateWaitingFor', SearchAttributeType.KEYWORD),
  health: defineSearchAttributeKey('SoakgateHealth', SearchAttributeType.KEYWORD),
} as const;

export type StepState =
  | 'waiting'
  | 'running'
  | 'pass'
  | 'fail'
  | 'inconclusive'
  | 'error'
  | 'undone'
  | 'not undone';

export interface StepLine {
  readonly name: string;
  readonly kind: string;
  state: StepState;
  summary: string;
  tookMs: number | null;
}

/** Answer of the query `progress`, and source of the details in the Web UI. */
export interface Progress {
  readonly title: string;
  phase: string;
  health: string;
  /** What it waits for, or null. */
  waitingFor: string | null;
  /** What to type next, or null. */
  next: string | null;
  readonly lines: StepLine[];
  readonly notes: string[];
}

export const progressQuery = defineQuery<Progress>('progress');

const marks: Record<StepState, string> = {
  waiting: '·',
  running: '▶',
  pass: '✓',
  fail: '✗',
  inconclusive: '?',
  error: '!',
  undone: '↩',
  'not undone': '✗',
};
const NOTES_SHOWN = 12;

/** What was last written; `of` names the run and is written with the first. */
export interface LastSent {
  readonly of: { readonly service: string; readonly environment: string };
  phase?: string;
  health?: string;
  waitingFor?: string | null;
}

/** Writes the details (free: no history event) and, when the phase changed, the search attributes (one event). */
export function show(progress: Progress, lastSent: LastSent): void {
  setCurrentDetails(render(progress));
  if (
    lastSent.phase === progress.phase &&
    lastSent.health === progress.health &&
    lastSent.waitingFor === progress.waitingFor
  )
    return;
  const first = lastSent.phase === undefined;
  lastSent.phase = progress.phase;
  lastSent.health = progress.health;
  lastSent.waitingFor = progress.waitingFor;
  upsertSearchAttributes([
    ...(first
      ? [
          { key: attributeKeys.service, value: lastSent.of.service },
          { key: attributeKeys.environment, value: lastSent.of.environment },
        ]
      : []),
    { key: attributeKeys.verdict, value: verdictOf(progress) },
    { key: attributeKeys.phase, value: progress.phase },
    { key: attributeKeys.health, value: progress.health },
    { key: attributeKeys.waitingFor, value: (progress.waitingFor ?? 'nobody').slice(0, 200) },
  ]);
}

/** The state of the last step that has one. */
function verdictOf({ lines }: Progress): string {
  return lines.findLast((line) => line.state !== 'waiting' && line.state !== 'running')?.state ?? 'none';
}

function render({ title, phase, health, waitingFor, next, lines, notes }: Progress): string {
  const rows = lines.map(
    (line) =>
      `| ${marks[line.state]} ${line.state} | ${line.name} | ${line.tookMs === null ? '' : `${(line.tookMs / 1000).toFixed(1)} s`} | ${line.summary.replaceAll('|', '\\|')} |`,
  );
  return [
    `**${title}** — ${phase}, ${health}`,
    ...(waitingFor ? [`Waiting for: ${waitingFor}`] : []),
    ...(next ? [`Next: \`${next}\``] : []),
    ...(rows.length > 0 ? ['', '| state | step | took | what |', '|---|---|---|---|', ...rows] : []),
    ...(notes.length > 0 ? ['', ...notes.slice(-NOTES_SHOWN).map((note) => `- ${note}`)] : []),
  ].join('\n');
}
