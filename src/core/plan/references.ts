// Every name that a plan mentions must stand for something in it. Works on the file as it was read, whatever
// else is wrong with it, so that a misspelt name is told together with a misspelt key.
import { type Path, quote, type Remark, unknownName } from './complaint.ts';
import { items, record, words } from './loose.ts';
import { nearest } from './nearest.ts';
import { implicitNames, judgingKeys } from './steps/facts.ts';

export const ACTIONS: readonly string[] = ['continue', 'freeze', 'stop'];
const RESERVED = ['any', 'rest'];

interface NamedStep {
  readonly name: string | undefined;
  readonly at: number;
  readonly environments: readonly string[];
  readonly body: Readonly<Record<string, unknown>>;
}

interface Names {
  /** Environment → its services. */
  readonly environments: ReadonlyMap<string, readonly string[]>;
  readonly steps: readonly NamedStep[];
  readonly monitors: readonly string[];
  readonly fallbacks: readonly string[];
  /**
   * Whether the part that gives these names is itself misspelt or malformed: then nothing is said about them.
   */
  readonly unsure: (part: Part) => boolean;
}

type Part = 'environments' | 'steps' | 'monitors' | 'fallbacks';

/** Remarks on names: misspelt, reserved, or given twice. `file` is the plan as read. */
export function nameRemarks(file: unknown): readonly Remark[] {
  const plan = record(file);
  const names = namesOf(plan);
  return [
    ...stepRemarks(names),
    ...reserved(names),
    ...serviceNames(plan),
    ...gateRemarks(plan, names),
    ...protectionRemarks(plan, names),
    ...matrixRemarks(plan, names),
  ];
}

function namesOf(plan: Readonly<Record<string, unknown>>): Names {
  const environments = new Map(
    Object.entries(record(plan['environments'])).map(([name, place]) => [
      name,
      words(items(record(place)['services']).map((service) => record(service)['name'])),
    ]),
  );
  const steps = items(plan['steps']).map((step, at): NamedStep => {
    const body = record(step);
    const kept = words(items(body['in']));
    const [name] = words([body['step']]);
    return { name, at, body, environments: kept.length ? kept : [...environments.keys()] };
  });
  const metrics = Object.entries(record(plan['monitors'])).flatMap(([monitor, body]) => [
    monitor,
    ...Object.keys(record(record(body)['metrics'])).map((metric) => `${monitor}/${metric}`),
  ]);
  return {
    environments,
    steps,
    monitors: metrics,
    fallbacks: Object.keys(record(plan['fallbacks'])),
    unsure: (part) => isUnsure(plan, part),
  };
}

function isUnsure(plan: Readonly<Record<string, unknown>>, part: Part): boolean {
  const value = plan[part];
  if (value === undefined) return nearest(part, Object.keys(plan)) !== undefined;
  return part === 'steps' ? !Array.isArray(value) : value !== record(value);
}

function stepRemarks(names: Names): readonly Remark[] {
  const known = [...names.environments.keys()];
  const remarks: Remark[] = [];
  const taken = new Map<string, number>();
  for (const step of names.steps) {
    items(step.body['in']).forEach((name, at) => {
      if (typeof name === 'string' && !names.environments.has(name) && !names.unsure('environments'))
        remarks.push(unknownName(['steps', step.at, 'in', at], 'environment', name, known));
    });
    remarks.push(...restartRemarks(names, step), ...twice(step, taken));
  }
  return remarks;
}

function twice({ name, at, environments }: NamedStep, taken: Map<string, number>): readonly Remark[] {
  if (name === undefined) return [];
  const shared = environments.filter((environment) => taken.has(`${environment} ${name}`));
  const earlier = taken.get(`${shared[0]} ${name}`);
  for (const environment of environments) taken.set(`${environment} ${name}`, at);
  if (!shared.length) return [];
  return [
    {
      path: ['steps', at, 'step'],
      message: `the name ${quote(name)} is taken by steps[${earlier}] in ${shared.join(' and ')}`,
      hint: 'a name is unique within an environment: choose another, or keep both apart with `in`',
    },
  ];
}

function restartRemarks(names: Names, step: NamedStep): readonly Remark[] {
  return items(step.body['restart']).flatMap((service, at) => {
    if (typeof service !== 'string' || names.unsure('environments')) return [];
    const without = step.environments.filter(
      (environment) =>
        names.environments.has(environment) && !names.environments.get(environment)?.includes(service),
    );
    if (!without.length) return [];
    const path: Path = ['steps', step.at, 'restart', at];
    if (without.length < step.environments.length)
      return [
        {
          path,
          message: `${without.join(' and ')} has no service ${quote(service)}`,
          hint:
            `keep the step to the others with \`in\`, or name it under ` +
            `environments.${without[0]}.services`,
        },
      ];
    return [
      unknownName(path, 'service', service, [
        ...new Set(step.environments.flatMap((environment) => names.environments.get(environment) ?? [])),
      ]),
    ];
  });
}

function reserved(names: Names): readonly Remark[] {
  const remark = (path: Path, name: string, at?: 'key'): Remark => ({
    path,
    ...(at && { at }),
    message: `${quote(name)} is reserved`,
    hint: 'choose another name',
  });
  return [
    ...names.steps
      .filter(({ name }) => name !== undefined && [...RESERVED, ...implicitNames].includes(name))
      .map(({ name, at }) => remark(['steps', at, 'step'], name ?? '')),
    ...names.monitors
      .filter((name) => RESERVED.includes(name))
      .map((name) => remark(['monitors', name], name, 'key')),
    ...names.fallbacks
      .filter((name) => [...RESERVED, ...ACTIONS, 'ask'].includes(name))
      .map((name) => remark(['fallbacks', name], name, 'key')),
  ];
}

function serviceNames(plan: Readonly<Record<string, unknown>>): readonly Remark[] {
  return Object.entries(record(plan['environments'])).flatMap(([environment, body]) => {
    const names = items(record(body)['services']).map((service) => record(service)['name']);
    return names.flatMap((name, at) =>
      typeof name === 'string' && names.indexOf(name) < at
        ? [
            {
              path: ['environments', environment, 'services', at, 'name'],
              message: `the service ${quote(name)} is listed twice`,
              hint: 'give it another name',
            },
          ]
        : [],
    );
  });
}

function gateRemarks(plan: Readonly<Record<string, unknown>>, names: Names): readonly Remark[] {
  const known = [...names.environments.keys()];
  return Object.entries(record(plan['gate'])).flatMap(([environment, gate]): readonly Remark[] => {
    const ids = items(record(gate)['attested']).map((statement) => record(statement)['id']);
    const again = ids.flatMap((id, at) =>
      typeof id === 'string' && ids.indexOf(id) < at
        ? [
            {
              path: ['gate', environment, 'attested', at, 'id'],
              message: `the id ${quote(id)} is listed twice`,
              hint: 'give each statement its own',
            },
          ]
        : [],
    );
    return known.includes(environment) || names.unsure('environments')
      ? again
      : [{ ...unknownName(['gate', environment], 'environment', environment, known), at: 'key' }, ...again];
  });
}

/** A protection that nothing checks is a sentence, not a protection. */
function protectionRemarks(plan: Readonly<Record<string, unknown>>, names: Names): readonly Remark[] {
  const judging = names.steps
    .filter(({ body }) => judgingKeys.some((kind) => kind in body))
    .map(({ name }) => name);
  const known = [...new Set(words(judging))];
  return Object.entries(record(plan['protections'])).flatMap(([protection, steps]) =>
    items(steps).flatMap((name, at): readonly Remark[] => {
      const path: Path = ['protections', protection, at];
      const there = names.steps.some((step) => step.name === name);
      if (there && !known.includes(String(name)))
        return [
          {
            path,
            message: `the step ${quote(String(name))} checks nothing, so it does not show ${quote(protection)}`,
            hint: `a step that checks: ${known.join(', ')}`,
          },
        ];
      return mention(names, path, 'steps', name, known);
    }),
  );
}

function matrixRemarks(plan: Readonly<Record<string, unknown>>, names: Names): readonly Remark[] {
  const steps = [...new Set(words(names.steps.map(({ name }) => name)))];
  return items(plan['matrix']).flatMap((line, at) => {
    const { when, do: action, ask, unanswered } = record(line);
    const symptom = record(when);
    const path: Path = ['matrix', at];
    const mentioned = [
      ...mention(names, [...path, 'when', 'before'], 'steps', symptom['before'], [
        ...steps,
        ...implicitNames,
      ]),
      ...mention(names, [...path, 'when', 'step'], 'steps', symptom['step'], [
        'any',
        ...steps,
        ...implicitNames,
      ]),
      ...mention(names, [...path, 'when', 'monitor'], 'monitors', symptom['monitor'], [
        'any',
        ...names.monitors,
      ]),
      ...mention(names, [...path, 'when', 'fallback'], 'fallbacks', symptom['fallback'], [
        'any',
        ...names.fallbacks,
      ]),
    ];
    return [
      ...mentioned,
      ...actionRemarks([...path, 'do'], action, names),
      ...items(ask).flatMap((word, place) => actionRemarks([...path, 'ask', place], word, names)),
      ...actionRemarks([...path, 'unanswered', 'do'], record(unanswered)['do'], names),
    ];
  });
}

function mention(
  names: Names,
  path: Path,
  part: Part,
  name: unknown,
  known: readonly string[],
): readonly Remark[] {
  return typeof name !== 'string' || known.includes(name) || names.unsure(part)
    ? []
    : [unknownName(path, part.slice(0, -1), name, known)];
}

function actionRemarks(path: Path, word: unknown, names: Names): readonly Remark[] {
  if (
    typeof word !== 'string' ||
    ACTIONS.includes(word) ||
    names.fallbacks.includes(word) ||
    names.unsure('fallbacks')
  )
    return [];
  if (word === 'ask')
    return [
      {
        path,
        message: '"ask" says nothing about what people may choose from',
        hint: `write e.g. ask: [continue, ${names.fallbacks[0] ?? 'stop'}]`,
      },
    ];
  return [unknownName(path, 'action or fallback', word, [...ACTIONS, ...names.fallbacks])];
}
