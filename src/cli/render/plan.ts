// A plan as it would be walked: steps, what each may change and its undo, who decides, and every rollback.
import { count } from '../../core/count.ts';
import { decide, type Trouble } from '../../core/matrix.ts';
import { formatDuration } from '../../core/plan/units.ts';
import type { EnvironmentPlan, When } from '../../core/plan/plan.ts';
import type { StepList } from '../../core/step-list.ts';
import { goesOn } from '../../core/plan/fallbacks/facts.ts';
import { orderRollback } from '../../core/rollback.ts';
import type { Paint } from '../terminal.ts';
import { table } from './table.ts';
import { took } from './words.ts';

/** A compiled list with what the plan itself says of that environment. */
export interface Shown {
  readonly list: StepList;
  readonly written: EnvironmentPlan;
}

export function renderList(shown: Shown, paint: Paint): readonly string[] {
  const { list } = shown;
  return [
    paint('strong', list.environment.name),
    ...indented([...gateLines(shown), ...lengthLines(shown), '']),
    ...indented(table(stepRows(list), paint)),
    '',
    ...indented(['rollback, in this order:', ...indented(rollbackLines(shown)), '']),
    ...indented([
      'decision matrix, the first matching line decides:',
      ...indented(table(matrixRows(list), paint)),
    ]),
  ];
}

const indented = (lines: readonly string[]): readonly string[] =>
  lines.map((line) => (line === '' ? line : `  ${line}`));
const head = (...names: readonly string[]) => names.map((text) => ({ text, tone: 'dim' }) as const);

function gateLines({ list: { gate }, written: { window } }: Shown): readonly string[] {
  if (!gate) return ['gate: none (only the guardrails of the environment)'];
  const opens = window && `window ${window.opens} ${window.zone} for ${formatDuration(window.lengthMs)}`;
  const notice = window?.noticeMs !== undefined && `notice ${formatDuration(window.noticeMs)}`;
  return [
    ...(gate.sealed.length > 0 ? [`gate, sealed: ${gate.sealed.join(', ')}`] : []),
    ...(gate.beforeDeploying.length > 0
      ? [
          'gate, before deploying: ' +
            `${[...gate.beforeDeploying, ...[opens, notice].filter(Boolean)].join(', ')}`,
        ]
      : []),
    ...gate.attested.map(({ id, role, text }) => `gate, attested: ${id} by ${role}: "${text}"`),
    ...(gate.approved
      ? [
          `gate, approved: ${gate.approved.roles.join(' and ')}, not by the requester, within ` +
            `${formatDuration(gate.approved.withinMs)}`,
        ]
      : []),
  ];
}

function lengthLines({ list, written }: Shown): readonly string[] {
  const length = (name: 'soak' | 'watch'): readonly string[] => {
    const [nominal, real] = [written[name], list.environment[name]];
    if (!nominal || !real) return [];
    const clean = nominal.cleanDays === undefined ? '' : `, ${count(nominal.cleanDays, 'clean day')}`;
    return [
      `${name}: ${formatDuration(nominal.forMs)}${clean}${list.pace ? ` (compressed to ${took(real.forMs)})` : ''}`,
    ];
  };
  const { afterwards } = written;
  const looked = afterwards
    ? [
        `afterwards: ${afterwards.monitors?.join(', ') ?? 'all monitors'} every ` +
          `${formatDuration(afterwards.everyMs)}, until you run soakgate stop-checks`,
      ]
    : [];
  const lines = [...length('soak'), ...length('watch'), ...looked];
  return lines.length > 0 ? lines : ['soak: none'];
}

function stepRows({ steps }: StepList) {
  return [
    head('#', 'step', 'kind', 'may change', 'undo'),
    ...steps.map((step) => [
      String(step.index),
      step.name,
      step.kind,
      step.changes.join(', ') || 'nothing',
      step.undo
        ? `${step.undo.undo}${step.undo.until ? ` (until ${step.undo.until} has passed)` : ''}`
        : step.changes.length > 0
          ? 'none'
          : '',
    ]),
  ];
}

interface Way {
  readonly what: string;
  /** What is done about it, and each rollback with its undos. */
  readonly answer: readonly string[];
}

/** A block for each group of steps or metrics that are answered alike. */
function rollbackLines(shown: Shown): readonly string[] {
  const { list } = shown;
  const ofSteps = list.steps.map(({ name, index }): Way => ({
    what: name,
    answer: answerTo(shown, { step: name, is: 'fail', index }, index),
  }));
  const ofMonitors = Object.entries(list.monitors).flatMap(([monitor, { metrics }]) =>
    Object.keys(metrics).map((metric): Way => {
      const trouble: Trouble = { monitor, metric, is: 'alert', lastedMs: Number.POSITIVE_INFINITY };
      return { what: `${monitor}/${metric}`, answer: answerTo(shown, trouble, list.steps.length) };
    }),
  );
  const block = (verb: string) => (group: readonly Way[]) => [
    `${spanOf(group.map(({ what }) => what))} ${verb}${group[0]!.answer[0]!}`,
    ...indented(group[0]!.answer.slice(1)),
  ];
  return [...groups(ofSteps).flatMap(block('fails')), ...groups(ofMonitors).flatMap(block('alerts'))];
}

/** Neighbours with the same answer. */
function groups(ways: readonly Way[]): readonly (readonly Way[])[] {
  return ways.reduce<(readonly Way[])[]>((all, way) => {
    const last = all.at(-1);
    const alike = last?.[0]?.answer.join('\n') === way.answer.join('\n');
    return last && alike ? [...all.slice(0, -1), [...last, way]] : [...all, [way]];
  }, []);
}

const spanOf = (names: readonly string[]): string =>
  names.length > 2 ? `${names[0]} … ${names.at(-1)}` : names.join(' or ');

/** `: stop`, then what runs back from there: the step itself may have half-run, so its undo is among them. */
function answerTo({ list }: Shown, trouble: Trouble, index: number): readonly string[] {
  const decision = decide(list, trouble);
  const stack = list.steps.flatMap((step) =>
    step.undo && step.index <= index ? [{ index: step.index, step: step.name, undo: step.undo }] : [],
  );
  const passed = list.steps.slice(0, index).map((step) => step.kind);
  const walk = (word: string): string => {
    const fallback = list.fallbacks[word] ?? null;
    const instead = fallback && goesOn(fallback);
    if (instead) return instead;
    const backup = list.steps.find((step) => step.kind === 'backup') ?? null;
    const entries = orderRollback({
      kind: list.kind,
      stack,
      passed,
      fallback,
      backup,
      shut: list.environment.rollback,
    });
    return entries.map((entry) => `${entry.undo.undo} (${entry.step})`).join(' → ') || 'nothing to undo';
  };
  if (decision.do === 'fallback') return [`: ${decision.name}`, walk(decision.name)];
  if (decision.do === 'stop') return [': stop', walk('stop')];
  if (decision.do !== 'ask') return [`: ${decision.do}`];
  const ways = decision.ask
    .filter((word) => word === 'stop' || Object.hasOwn(list.fallbacks, word))
    .map((word) => `${word}: ${walk(word)}`);
  return [`: people choose ${decision.ask.join(' | ')}`, ...ways];
}

function matrixRows({ matrix }: StepList) {
  return [
    head('symptom', 'answer', 'severity', 'unanswered'),
    ...matrix.map(({ when, do: word, ask, severity, unanswered }) => [
      whenText(when),
      word ?? `ask: ${(ask ?? []).join(' | ')}`,
      severity,
      unanswered ? `${unanswered.do} after ${formatDuration(unanswered.afterMs)}` : ask ? 'waits' : '',
    ]),
  ];
}

function whenText(when: When): string {
  if (when === 'rest') return 'anything else';
  if ('before' in when) return `anything before ${when.before}`;
  if ('fallback' in when) return `the rollback ${when.fallback} goes wrong`;
  const words =
    'step' in when ? `${when.step} ${when.is ?? 'fail or error'}` : `${when.monitor} ${when.is ?? 'alert'}`;
  return 'monitor' in when && when.forMs !== undefined ? `${words} for ${formatDuration(when.forMs)}` : words;
}
