// Rules about the order of steps, and about what a step needs to be undone.
import { quote, type Remark, unknownName } from './complaint.ts';
import { linesOf, type PlanLine, perEnvironment, touchesDatabase } from './lint-lines.ts';
import type { Plan, PlanStep } from './plan.ts';

const kindOf = (step: PlanStep): string =>
  Object.keys(step).find((key) => key !== 'step' && key !== 'in') ?? 'step';

/** Rule 2: nothing changes the database before a backup is proven. */
export function backupFirst(plan: Plan): readonly Remark[] {
  return perEnvironment(plan, (_, lines) => {
    const backup = lines.findIndex(({ step }) => 'backup' in step);
    return lines
      .filter(({ step }, place) => touchesDatabase(step) && (backup === -1 || place < backup))
      .map(({ at, step }) => ({
        path: ['steps', at, kindOf(step)],
        at: 'key',
        message: `${'forbidden' in step ? 'tries writes on' : 'changes'} the database before a backup is proven`,
        hint: 'put a step before it: - { step: backup, backup: { keep: 30d } }',
      }));
  });
}

/** Migrations and the steps that apply them belong together. */
export function migrationsAreApplied(plan: Plan): readonly Remark[] {
  return perEnvironment(plan, (_, lines): readonly Remark[] => {
    const migrating = lines.filter(({ step }) => 'migrate' in step);
    if (!plan.migrations) {
      const previews = lines.filter(({ step }) => 'preview' in step);
      return [...migrating, ...previews].map(({ at, step }) => ({
        path: ['steps', at, kindOf(step)],
        at: 'key',
        message: 'there are no migrations',
        hint: 'declare them: migrations: { sql: { folder: migrations, pending: [...] } }',
      }));
    }
    if (!migrating.length)
      return [
        {
          path: ['migrations'],
          at: 'key',
          message: 'no step migrates',
          hint: 'add a step: - { step: migrate, migrate: { lock-timeout: 50ms, give-up-after: 2m, statement-timeout: 5m } }',
        },
      ];
    return migrating.slice(1).map(({ at }) => ({
      path: ['steps', at, 'migrate'],
      at: 'key',
      message: 'the migrations are applied by an earlier step already',
      hint: 'one step applies all that is pending',
    }));
  });
}

/** Findings need an answer: a rule's own fix, or words that people may choose from, never both. */
export function dataFindsAndDecides(plan: Plan): readonly Remark[] {
  return plan.steps.flatMap((step, at): readonly Remark[] => {
    if (!('data' in step)) return [];
    const { rules, check, fix, peopleDecide } = step.data;
    const names = rules.map(({ name }) => name);
    const path = ['steps', at, 'data'] as const;
    const twice = rules.flatMap(({ name }, place) =>
      names.indexOf(name) < place
        ? [
            {
              path: [...path, 'rules', place, 'rule'],
              message: `the rule ${quote(name)} stands there twice`,
              hint: 'give it another name',
            },
          ]
        : [],
    );
    const decided = Object.keys(peopleDecide).flatMap((category): readonly Remark[] => {
      const where = [...path, 'people-decide', category];
      if (rules.some((rule) => rule.name === category && rule.fix !== undefined))
        return [
          {
            path: where,
            at: 'key',
            message: `the rule ${quote(category)} has a fix, so a machine would change these rows`,
            hint: 'take out its fix, or this line',
          },
        ];
      return check || names.includes(category)
        ? []
        : [{ ...unknownName(where, 'rule', category, names), at: 'key' }];
    });
    const unasked: readonly Remark[] =
      fix && !check
        ? [
            {
              path: [...path, 'fix'],
              at: 'key',
              message: 'a fix without a check corrects what nobody has found',
              hint: 'add check: { command: [...] }',
            },
          ]
        : [];
    return [...twice, ...decided, ...unasked];
  });
}

/** Rule 3: what changes more than files of the checkout carries its undo. */
export function runsCanBeUndone(plan: Plan): readonly Remark[] {
  return plan.steps.flatMap((step, at) => {
    if (!('run' in step) || step.run.undo) return [];
    const changed = step.run.changes.filter((change) => change !== 'files');
    if (!changed.length) return [];
    return [
      {
        path: ['steps', at, 'run'],
        at: 'key' as const,
        message: `changes ${changed.join(' and ')}, but has no undo`,
        hint: 'add undo: { command: [...] }',
      },
    ];
  });
}

/** Maintenance is entered once, left once, and left only through checks of what serves then. */
export function maintenanceIsPaired(plan: Plan): readonly Remark[] {
  return perEnvironment(plan, (environment, lines): readonly Remark[] => {
    const of = (word: 'enter' | 'leave') =>
      lines.flatMap(({ step }, place) => ('maintenance' in step && step.maintenance === word ? [place] : []));
    const say = (place: number | undefined, message: string, hint: string): Remark => ({
      path: ['steps', lines[place ?? 0]?.at ?? 0, 'maintenance'],
      message,
      hint,
    });
    const [enters, leaves] = [of('enter'), of('leave')];
    const [enter] = enters;
    const [leave] = leaves;
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
      return [say(leave, 'leaves a maintenance that was never entered', 'add a step: maintenance: enter')];
    if (leave === undefined)
      return [
        say(
          enter,
          'enters a maintenance that no step leaves',
          'add a step after the checks: maintenance: leave',
        ),
      ];
    const again = [...enters.slice(1), ...leaves.slice(1)];
    if (again.length)
      return again.map((place) => say(place, 'maintenance is entered and left once', 'take this step out'));
    if (leave < enter) return [say(leave, 'leaves maintenance before it is entered', 'change their order')];
    return checkedBefore(lines, enter, leave)
      ? []
      : [
          say(
            leave,
            'leaves maintenance before its checks',
            'put an HTTP check between the last restart and this step',
          ),
        ];
  });
}

function checkedBefore(lines: readonly PlanLine[], enter: number, leave: number): boolean {
  const between = lines.slice(enter + 1, leave);
  const served = between.findLastIndex(({ step }) => 'restart' in step || 'switch' in step);
  return between.slice(served + 1).some(({ step }) => 'check' in step && 'http' in step.check);
}

/** A release that was switched to serves only after a restart. */
export function switchIsRestarted(plan: Plan): readonly Remark[] {
  return perEnvironment(plan, (environment, lines) => {
    if (!environment.services.length) return [];
    const last = lines.findLastIndex(({ step }) => 'switch' in step);
    const line = lines[last];
    if (!line || lines.slice(last + 1).some(({ step }) => 'restart' in step)) return [];
    return [
      {
        path: ['steps', line.at, 'switch'],
        at: 'key',
        message: 'no restart follows, so the old release goes on serving',
        hint: `add a step: - { step: restart, restart: [${environment.services[0]?.name}] }`,
      },
    ];
  });
}

/** Whether some environment lacks a kind of step. */
export function environmentsWithout(plan: Plan, kind: string): readonly string[] {
  return plan.environments
    .map(({ name }) => name)
    .filter((name) => !linesOf(plan, name).some(({ step }) => kind in step));
}
