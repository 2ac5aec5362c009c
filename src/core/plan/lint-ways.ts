// Rules about gates that can open, fallbacks that can be walked, and a matrix that decides.
import { sameJson } from '../canonical.ts';
import { type Path, quote, type Remark, unknownName } from './complaint.ts';
import { fallbackRemarks, losesWrites, rolesOf } from './fallbacks/facts.ts';
import { linesOf } from './lint-lines.ts';
import { environmentsWithout } from './lint-order.ts';
import { exampleOfMigrations } from './migrators/index.ts';
import type { Gate, MatrixRow, Plan } from './plan.ts';

/** A gate asks only for what can come true. */
export function gateOpens(plan: Plan): readonly Remark[] {
  return Object.entries(plan.gate).flatMap(([name, gate]) => {
    const place = plan.environments.findIndex((environment) => environment.name === name);
    return [
      ...sealedRemarks(plan, name, gate, plan.environments[place - 1]?.name),
      ...entryRemarks(plan, name, gate),
    ];
  });
}

function sealedRemarks(plan: Plan, name: string, gate: Gate, before: string | undefined): readonly Remark[] {
  return gate.sealed.flatMap((fact, at): readonly Remark[] => {
    const path = ['gate', name, 'sealed', at];
    if (before === undefined)
      return [
        {
          path,
          message: `${quote(fact)} is a fact of the environment before, and ${name} is the first`,
          hint: 'take it out',
        },
      ];
    const lines = linesOf(plan, before);
    if (fact === 'backup-proven' && !lines.some(({ step }) => 'backup' in step))
      return [
        { path, message: `never holds: ${before} has no backup step`, hint: 'add one, or take this out' },
      ];
    const rehearsed = lines.some(({ step }) => 'preview' in step && step.preview.rehearse === 'up-down-up');
    if (fact === 'rollback-rehearsed' && !rehearsed)
      return [
        {
          path,
          message: `never holds: no step of ${before} rehearses the rollback`,
          hint: 'add a step: - { step: preview, preview: { lint: error, rehearse: up-down-up } }',
        },
      ];
    return [];
  });
}

function entryRemarks(plan: Plan, name: string, gate: Gate): readonly Remark[] {
  const window = plan.environments.find((environment) => environment.name === name)?.window;
  return gate.beforeDeploying.flatMap((fact, at): readonly Remark[] => {
    const path = ['gate', name, 'before-deploying', at];
    if (!window)
      return [
        {
          path,
          message: `never holds: ${name} has no window`,
          hint: 'e.g. window: { opens: 0 2 * * SUN, zone: Europe/Berlin, length: 2h, notice: 48h }',
        },
      ];
    if (fact === 'notice-given' && window.noticeMs === undefined)
      return [{ path, message: `the window of ${name} asks for no notice`, hint: 'e.g. notice: 48h' }];
    const attested = gate.attested.some(({ id }) => id === 'notice') || gate.approved;
    return fact === 'notice-given' && !attested
      ? [
          {
            path,
            message: 'nobody can attest it',
            hint: 'add attested: [{ id: notice, role: ..., text: The users were informed of the window }]',
          },
        ]
      : [];
  });
}

/** What a rollback shuts is there: a flag file to close with, services to stop. */
export function rollbackIsKnown({ environments }: Plan): readonly Remark[] {
  return environments.flatMap(({ name, rollback, maintenance, services }): readonly Remark[] => {
    const known = services.map((service) => service.name);
    const stops = (rollback?.stop ?? []).flatMap((service, at): readonly Remark[] =>
      known.includes(service)
        ? []
        : [unknownName(['environments', name, 'rollback', 'stop', at], 'service', service, known)],
    );
    if (!rollback?.close || maintenance) return stops;
    const hint = 'e.g. maintenance: { flag-file: /var/www/shop/maintenance.flag, answers: 503 }';
    return [
      ...stops,
      {
        path: ['environments', name, 'rollback', 'close'],
        message: `${name} has no maintenance to close with`,
        hint,
      },
    ];
  });
}

/** Whoever must sign can be called: where contacts are given, no role that decides is left out. */
export function rolesCanBeCalled({ contacts, gate, fallbacks }: Plan): readonly Remark[] {
  if (!contacts) return [];
  const wanted = [
    ...Object.values(gate).flatMap(({ attested, approved }) => [
      ...attested.map(({ role }) => role),
      ...(approved?.roles ?? []),
    ]),
    ...Object.values(fallbacks).flatMap(rolesOf),
  ];
  return [...new Set(wanted)]
    .filter((role) => contacts[role] === undefined)
    .map((role) => ({
      path: ['contacts'],
      message: `says not whom to call as ${quote(role)}, who decides`,
      hint: `e.g. ${role}: ${role}@example.org`,
      at: 'key',
    }));
}

/** A fallback that cannot be walked is refused before the day it is needed. */
export function fallbacksCanBeTaken(plan: Plan): readonly Remark[] {
  const known = {
    pending: plan.migrations?.pending,
    declaration: exampleOfMigrations,
    withoutOwners: plan.steps.some((step) => 'backup' in step && step.backup?.owners === false),
    lacking: (step: string) => environmentsWithout(plan, step),
  };
  return Object.entries(plan.fallbacks).flatMap(([name, fallback]) =>
    fallbackRemarks(fallback, ['fallbacks', name], known),
  );
}

/** The matrix always ends in a decision, each line can be reached, and no silence loses writes. */
export function matrixDecides(plan: Plan): readonly Remark[] {
  const { matrix } = plan;
  const rest = matrix.findIndex(({ when }) => when === 'rest');
  const lines = matrix.flatMap((row, at) => {
    const earlier = matrix.findIndex(({ when }) => sameJson(when, row.when));
    const path: Path = ['matrix', at];
    if (rest !== -1 && at > rest)
      return [
        { path, message: 'is never reached: the line for rest comes before it', hint: 'put rest last' },
        ...actionRemarks(plan, row, path),
      ];
    if (earlier < at)
      return [
        {
          path: [...path, 'when'],
          message: `is never reached: matrix[${earlier}] answers the same`,
          hint: 'keep one of them',
        },
        ...actionRemarks(plan, row, path),
      ];
    return actionRemarks(plan, row, path);
  });
  if (rest !== -1) return lines;
  return [
    ...lines,
    {
      path: ['matrix'],
      at: 'key',
      message: 'does not end with a line for rest, so a symptom may find no answer',
      hint: 'e.g. - { when: rest, ask: [continue, stop], severity: high }',
    },
  ];
}

function actionRemarks(plan: Plan, row: MatrixRow, path: Path): readonly Remark[] {
  const remarks: Remark[] = [];
  const direct = plan.fallbacks[row.do ?? ''];
  if (direct && losesWrites(direct) && rolesOf(direct).length === 0)
    remarks.push({
      path: [...path, 'do'],
      message: `${quote(row.do ?? '')} loses writes and nobody approves it`,
      hint: `people decide: ask: [${row.do}]; or give the fallback approved: { roles: [...] }`,
    });
  const silent = plan.fallbacks[row.unanswered?.do ?? ''];
  if (silent && losesWrites(silent))
    remarks.push({
      path: [...path, 'unanswered', 'do'],
      message: `${quote(row.unanswered?.do ?? '')} loses writes; silence never decides that`,
      hint: 'e.g. do: stop, or leave unanswered out: the question waits',
    });
  const failed = typeof row.when === 'object' && 'fallback' in row.when ? row.when.fallback : undefined;
  if (failed === undefined) return remarks;
  const again = (word: string | undefined) =>
    word !== undefined && Object.hasOwn(plan.fallbacks, word) && (word === failed || failed === 'any');
  if (again(row.do))
    remarks.push({
      path: [...path, 'do'],
      message: 'would walk again the fallback that went wrong',
      hint:
        'people decide: ask: ' +
        `[${Object.keys(plan.fallbacks).find((name) => name !== failed) ?? 'freeze'}]`,
    });
  if (again(row.unanswered?.do))
    remarks.push({
      path: [...path, 'unanswered', 'do'],
      message: 'would walk again the fallback that went wrong',
      hint: 'e.g. do: freeze',
    });
  return remarks;
}
