// Where are we: data for the query, details for the Web UI, search attributes for the list.
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { defineQuery, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import {
  droppedText,
  malformedText,
  nextCommand,
  type Refusal,
  refusalText,
  type Waiting,
  waitingText,
  waitingTextOfAll,
} from '../src/core/waiting.ts';

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

/**
 * Answer of the query `progress`, and source of the details in the Web UI. Data: sentences are made where it
 * is shown.
 */
export interface Progress {
  readonly title: string;
  readonly deployment: string;
  /** Whether `waiting` may name several environments. */
  readonly of: 'deployment' | 'environment';
  phase: string;
  health: string;
  /** What it waits for; the first is what people should see to first. */
  waiting: readonly Waiting[];
  readonly lines: StepLine[];
  readonly notes: string[];
  /** One line a metric, of the observation that goes on or was the last. */
  metrics: readonly string[];
  readonly refusals: Refusal[];
  /** Signals that nobody could read; they changed nothing. */
  malformed: number;
  /** Messages among many that no known person has signed; they changed nothing. Left out where there was none. */
  dropped?: number;
}

export const newProgress = (
  about: Pick<Progress, 'title' | 'deployment' | 'of' | 'phase'>,
  lines: readonly { readonly name: string; readonly kind: string }[],
): Progress => ({
  ...about,
  health: 'good',
  waiting: [],
  lines: lines.map(({ name, kind }) => ({ name, kind, state: 'waiting', summary: '', tookMs: null })),
  notes: [],
  metrics: [],
  refusals: [],
  malformed: 0,
});

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
  /** Compared as data: a sentence that is worded anew changes no command of a history. */
  state?: string;
}

/**
 * Writes the details (free: no history event) and, when phase, health or waiting changed, the search
 * attributes (one event).
 */
export function show(progress: Progress, lastSent: LastSent): void {
  setCurrentDetails(render(progress));
  const state = JSON.stringify([progress.phase, progress.health, progress.waiting]);
  if (lastSent.state === state) return;
  const first = lastSent.state === undefined;
  lastSent.state = state;
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
    { key: attributeKeys.waitingFor, value: (waitingOf(progress) ?? 'nobody').slice(0, 200) },
  ]);
}

/** The state of the last step that has one. */
function verdictOf({ lines }: Progress): string {
  return lines.findLast((line) => line.state !== 'waiting' && line.state !== 'running')?.state ?? 'none';
}

const waitingOf = ({ of, waiting }: Progress): string | null =>
  of === 'deployment' ? waitingTextOfAll(waiting) : waiting[0] ? waitingText(waiting[0]) : null;

function render(progress: Progress): string {
  const { title, phase, health, lines, notes, metrics, refusals, malformed, dropped = 0 } = progress;
  const waiting = waitingOf(progress);
  const next = nextCommand(progress.waiting, progress.deployment);
  const rows = lines.map(
    (line) =>
      `| ${marks[line.state]} ${line.state} | ${line.name} | ` +
      `${line.tookMs === null ? '' : `${(line.tookMs / 1000).toFixed(1)} s`} | ` +
      `${line.summary.replaceAll('|', '\\|')} |`,
  );
  const below = [
    ...notes.slice(-NOTES_SHOWN),
    ...metrics,
    ...refusals.slice(-NOTES_SHOWN).map(refusalText),
    ...(malformed > 0 ? [malformedText(malformed)] : []),
    ...(dropped > 0 ? [droppedText(dropped)] : []),
  ];
  return [
    `**${title}** — ${phase}, ${health}`,
    ...(waiting ? [`Waiting for: ${waiting}`] : []),
    ...(next ? [`Next: \`${next}\``] : []),
    ...(rows.length > 0 ? ['', '| state | step | took | what |', '|---|---|---|---|', ...rows] : []),
    ...(below.length > 0 ? ['', ...below.map((line) => `- ${line}`)] : []),
  ].join('\n');
}
