// The file format of gates, fallbacks and the decision matrix: who decides, and how it is undone.
import { z } from 'zod';
import { type FallbackKey, fallbackKinds } from './fallbacks/index.ts';
import { duration, form, name, oneKind, role, text } from './forms.ts';

type Definitions = typeof fallbackKinds;

const roles = z.array(role).min(1);

/** The conditions for entering an environment. */
export const gate = z.strictObject({
  sealed: z
    .array(z.enum(['soak-passed', 'same-release', 'backup-proven', 'rollback-rehearsed']))
    .describe('Facts about the previous environment, sealed in the gate report that people approve')
    .optional(),
  'before-deploying': z
    .array(z.enum(['window-open', 'notice-given']))
    .describe('Facts that are checked directly before deploying')
    .optional(),
  attested: z
    .array(
      z.strictObject({
        id: name.describe('Short name of the statement'),
        role: role.describe('Who may state it'),
        text: text.describe('The statement'),
      }),
    )
    .describe('Statements of people about something outside the system')
    .optional(),
  approved: z
    .strictObject({
      roles: roles.describe('One person for each role; the requester never counts'),
      within: duration.describe(
        'How long people may approve, from sealing the gate report; then the deployment ends expired',
      ),
    })
    .describe('Signatures that are needed')
    .optional(),
});

type FallbackForms = {
  readonly [Key in FallbackKey as Definitions[Key]['key']]: Definitions[Key]['form'];
};
const kinds = Object.values(fallbackKinds);
const signed = kinds.filter((kind) => 'losesWrites' in kind);

/** A rollback, or what goes on instead. */
export const fallback = oneKind(
  'a fallback',
  Object.fromEntries(kinds.map(({ key, form: written }) => [key, written])) as FallbackForms,
  {
    approved: z
      .strictObject({ roles: roles.describe('One person for each role') })
      .describe('Signatures that a restore needs')
      .optional(),
  },
).superRefine((value, context) => {
  if (value.approved !== undefined && !signed.some(({ key }) => value[key] !== undefined))
    context.addIssue({
      code: 'custom',
      path: ['approved'],
      message: 'goes with a restore (loses: writes-since-backup) only',
      params: { hint: 'take it out', at: 'key' },
    });
});

/** `any` where every step, monitor or fallback is meant; a monitor may be followed by one of its metrics. */
const symptomName = form(
  /^[a-z][a-z0-9-]{0,62}(?:\/[a-z][a-z0-9-]{0,62})?$/u,
  'name',
  'migrate',
  'any',
  'validation/health',
);

const when = oneKind(
  'a symptom',
  {
    before: name.describe('Any failure in a step before this one'),
    step: name.describe('This step, or any'),
    monitor: symptomName.describe('This monitor, one of its metrics (`monitor/reading`), or any'),
    fallback: name.describe('This fallback failed, or any'),
  },
  {
    is: z
      .enum(['fail', 'error', 'alert', 'inconclusive'])
      .describe('Default: fail or error for a step, alert for a monitor; error: it could not be run or read')
      .optional(),
    for: duration.describe('How long it must have lasted').optional(),
  },
).superRefine((value, context) => {
  const refuse = (key: 'is' | 'for', message: string, hint: string) =>
    context.addIssue({ code: 'custom', path: [key], message, params: { hint, at: 'key' } });
  if (value.is !== undefined && value.step === undefined && value.monitor === undefined)
    refuse('is', 'goes with step or monitor only', 'take it out');
  if (value.for !== undefined && value.monitor === undefined)
    refuse('for', 'goes with monitor only', 'take it out');
  if (value.is === 'alert' && value.step !== undefined)
    refuse('is', 'a step never raises an alert', 'fail, error or inconclusive');
  if (value.is === 'fail' && value.monitor !== undefined)
    refuse('is', 'a monitor is never "fail"', 'alert, inconclusive or error');
});

/** A line of the matrix: the first that fits decides. */
export const matrixRow = oneKind(
  'a line of the matrix',
  {
    do: name.describe('continue, freeze, stop or a fallback'),
    ask: z.array(name).min(1).describe('Options for people: continue, freeze, stop or fallbacks'),
  },
  {
    when: z
      .union([z.literal('rest'), when])
      .meta({ title: 'symptom', examples: [{ step: 'migrate' }, 'rest'] })
      .describe('The symptom; rest always matches'),
    unanswered: z
      .strictObject({
        after: duration.describe('How long to wait for an answer'),
        do: name.describe('What to do without an answer'),
      })
      .describe('What to do if nobody answers; without it, the question waits')
      .optional(),
    severity: z
      .enum(['low', 'medium', 'high', 'critical'])
      .describe('How urgent it is; default: medium')
      .optional(),
  },
).superRefine((value, context) => {
  if (value.unanswered !== undefined && value.ask === undefined)
    context.addIssue({
      code: 'custom',
      path: ['unanswered'],
      message: 'goes with ask only',
      params: { hint: 'take it out', at: 'key' },
    });
});
