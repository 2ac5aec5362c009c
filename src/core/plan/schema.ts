// The plan's file format, as written in YAML: validation, the published JSON Schema and the plan
// reference are all made from it. What it accepts is a `PlanFile`; `toPlan` makes the trusted `Plan`.
import { z } from 'zod';
import {
  address,
  anyPath,
  argv,
  atMost,
  environmentValue,
  gitRef,
  name,
  oneKind,
  path,
  pendingName,
  role,
  status,
  text,
  urlPath,
  variable,
} from './forms.ts';
import { migrators } from './migrators/index.ts';
import { restarters } from './restarters/index.ts';
import { afterwards, monitor, soak, watch, window } from './schema-monitors.ts';
import { step } from './schema-steps.ts';
import { gate, matrixRow, fallback } from './schema-ways.ts';

const pending = z
  .array(pendingName)
  .describe('The pending migrations; the deployment stops if any other is pending');

const migrations = oneKind('a declaration of migrations', formsOf(migrators, { pending }), {}).describe(
  'The migrations of this release; the key is the tool',
);

const service = oneKind('a service', formsOf(restarters, {}), { name: name.describe('Name of the service') });

/** The forms of a family's tools, each with what the family adds. */
function formsOf<Key extends string>(
  family: Readonly<Record<Key, { readonly options: z.ZodRawShape; readonly meaning: string }>>,
  added: z.ZodRawShape,
) {
  return Object.fromEntries(
    Object.entries<(typeof family)[Key]>(family).map(([key, { options, meaning }]) => [
      key,
      z.strictObject({ ...options, ...added }).describe(meaning),
    ]),
  ) as Record<Key, z.ZodObject>;
}

const environment = z.strictObject({
  url: address.describe('Where the service answers').optional(),
  services: z.array(service).describe('Services to restart; the second key is the tool').optional(),
  soak: soak.optional(),
  maintenance: z
    .strictObject({
      'flag-file': anyPath.describe('While this file is there, the service is closed'),
      answers: status.describe('What a closed service answers; default: 503').optional(),
      inside: address.describe('Address that stays open for checks').optional(),
      health: urlPath
        .describe(
          'Path below `inside` that must answer below 400 before a rollback opens the service again; ' +
            'default: /',
        )
        .optional(),
    })
    .describe('How the service is closed')
    .optional(),
  window: window.optional(),
  rollback: z
    .strictObject({
      close: z.literal(true).describe('Closes the service to its users first').optional(),
      stop: z.array(name).min(1).describe('Then stops these services').optional(),
    })
    .describe('What to close before the database rolls back, and to open again afterwards')
    .optional(),
  watch: watch.optional(),
  afterwards: afterwards.optional(),
});

const release = z
  .strictObject({
    ref: gitRef.describe('Branch, tag or commit; pinned to one commit when the deployment starts'),
    lock: path.describe('Lock file; Soakgate keeps one built environment for each of its hashes').optional(),
    environment: path.describe('Folder of the built environment, linked into each checkout').optional(),
    install: z.array(argv).describe('Commands that build it').optional(),
  })
  .superRefine((value, context) => {
    if (value.environment !== undefined && value.lock === undefined)
      context.addIssue({
        code: 'custom',
        path: ['environment'],
        message: 'needs a lock file, whose hash names the built environment',
        params: { hint: 'e.g. lock: requirements.txt', at: 'key' },
      });
  })
  .describe('What is deployed');

function someButFew(all: Readonly<Record<string, unknown>>, context: z.core.$RefinementCtx): void {
  const count = Object.keys(all).length;
  if (count === 0)
    context.addIssue({
      code: 'custom',
      message: 'is empty',
      params: { hint: 'e.g. staging: { url: http://127.0.0.1:8001 }' },
    });
  if (count > 20)
    context.addIssue({
      code: 'custom',
      message: 'has too many environments',
      params: { hint: 'at most 20' },
    });
}

/** A file that is a plan. */
export const planFile = z.strictObject({
  soakgate: z.literal(1).describe('Version of the format'),
  service: name.describe('What is deployed'),
  summary: text.max(200).describe('One line for people'),
  kind: z
    .enum(['constraints', 'columns', 'view', 'flags', 'code'])
    .describe('Kind of the release; decides in which order schema and code roll back'),
  claims: z
    .strictObject({
      downtime: atMost.describe('Longest downtime').optional(),
      reversible: z.boolean().describe('Whether it can be undone').optional(),
    })
    .describe('Claims that Soakgate measures and compares')
    .optional(),
  contacts: z
    .record(role, text.max(200))
    .describe('Role → whom to call; if present, it must list every role that decides')
    .optional(),
  links: z.record(name, text.max(500)).describe('Name → where to read more').optional(),
  protections: z
    .record(name, z.array(name).min(1))
    .describe('What the release protects → the steps that check it')
    .optional(),
  release,
  commands: z
    .strictObject({
      path: z.array(path).describe('Folders of the checkout that are searched for programs first').optional(),
      env: z.record(variable, environmentValue).describe('Their environment').optional(),
    })
    .describe("How the release's own commands run")
    .optional(),
  migrations: migrations.optional(),
  environments: z
    .record(name, environment)
    .superRefine(someButFew)
    .describe('Deployed in this order, each after its gate'),
  steps: z.array(step).min(1).max(500).describe('One list, run from top to bottom in each environment'),
  monitors: z.record(name, monitor).describe('Sources of metrics, sampled during a soak or watch').optional(),
  gate: z
    .record(name, gate)
    .describe('Environment → conditions for deploying to it, in addition to its guardrails')
    .optional(),
  fallbacks: z.record(name, fallback).describe('The fallbacks').optional(),
  matrix: z
    .array(matrixRow)
    .min(1)
    .max(500)
    .describe('What to do about a symptom; the first matching line decides'),
});

export type PlanFile = z.infer<typeof planFile>;

/** The published schema, for editors: draft-07, with a description for every key. */
export function planJsonSchema(): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(planFile, { target: 'draft-7', io: 'input' });
  return {
    $schema,
    title: 'Soakgate plan',
    description: 'A plan of Soakgate: what changes, how it is judged, who decides and how it is undone.',
    ...schema,
  };
}
