// maintenance: closes or opens the service to its users. Entered once, left once, left only through checks.
import { z } from 'zod';
import type { Remark } from '../complaint.ts';
import { type PlanLine, perEnvironment } from '../lint-lines.ts';
import { record } from '../loose.ts';
import { type AnyStep, defineStep, line, type RulePlan } from './step.ts';

type Word = 'enter' | 'leave';
/** What its rule looks at. */
export interface Known {
  readonly maintenance: Word;
  readonly restart: unknown;
  readonly switch: unknown;
  readonly check: unknown;
}
type Walked = PlanLine<AnyStep & Readonly<Partial<Known>>>;

export const maintenance = defineStep({
  key: 'maintenance',
  form: z.enum(['enter', 'leave']).describe('Closes or opens the service to its users'),
  toSpec: (file): Word => file,
  kinds: {
    enterMaintenance: line<Readonly<Record<string, never>>>()({
      changes: ['flags'],
      undo: { undo: 'endMaintenance', family: 'maintenance' },
      programs: [],
    }),
    leaveMaintenance: line<Readonly<Record<string, never>>>()({
      changes: ['flags'],
      undo: { none: 'it undoes what enter did' },
      programs: [],
    }),
  },
  lines: (word, name) => [
    { kind: word === 'enter' ? 'enterMaintenance' : 'leaveMaintenance', name, spec: {} },
  ],
  rules: [isPaired],
});

/** Maintenance is entered once, left once, and left only through checks of what serves then. */
function isPaired(plan: RulePlan<Known>): readonly Remark[] {
  return perEnvironment(plan, (environment, lines): readonly Remark[] => {
    const [enters, leaves] = [placesOf(lines, 'enter'), placesOf(lines, 'leave')];
    const say = remarkOn(lines);
    const [[enter], [leave]] = [enters, leaves];
    if (enter === undefined && leave === undefined) return [];
    if (!environment.maintenance)
      return [...enters, ...leaves].map((place) =>
        say(
          place,
          'nothing is said about maintenance',
          'add maintenance: { flag-file: ... } to the environment, or keep the step to others with `in`',
        ),
      );
    if (enter === undefined)
      return [say(leave, 'ends a maintenance that never started', 'add a step: maintenance: enter')];
    if (leave === undefined)
      return [
        say(
          enter,
          'starts a maintenance that no step ends',
          'add a step after the checks: maintenance: leave',
        ),
      ];
    const again = [...enters.slice(1), ...leaves.slice(1)];
    if (again.length)
      return again.map((place) => say(place, 'use enter and leave once each', 'take this step out'));
    return orderRemarks(lines, enter, leave);
  });
}

const placesOf = (lines: readonly Walked[], word: Word): readonly number[] =>
  lines.flatMap(({ step }, place) => (step.maintenance === word ? [place] : []));

const remarkOn =
  (lines: readonly Walked[]) =>
  (place: number | undefined, message: string, hint: string): Remark => ({
    path: ['steps', lines[place ?? 0]?.at ?? 0, 'maintenance'],
    message,
    hint,
  });

function orderRemarks(lines: readonly Walked[], enter: number, leave: number): readonly Remark[] {
  const say = remarkOn(lines);
  if (leave < enter) return [say(leave, 'ends maintenance before it starts', 'change their order')];
  if (checkedBefore(lines, enter, leave)) return [];
  return [
    say(
      leave,
      'ends maintenance before its checks',
      'put an HTTP check between the last restart and this step',
    ),
  ];
}

function checkedBefore(lines: readonly Walked[], enter: number, leave: number): boolean {
  const between = lines.slice(enter + 1, leave);
  const served = between.findLastIndex(({ step }) => step.restart !== undefined || step.switch !== undefined);
  return between.slice(served + 1).some(({ step }) => 'http' in record(step.check));
}
