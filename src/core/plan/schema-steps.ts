// The file format of a step: one strict object with a name, exactly one kind key and an optional `in`.
import { z } from 'zod';
import { name, oneKind } from './forms.ts';
import { stepKinds } from './steps/index.ts';

type Forms = { readonly [Key in keyof typeof stepKinds]: (typeof stepKinds)[Key]['form'] };

/** The kinds of step, as written. */
const forms = Object.fromEntries(Object.entries(stepKinds).map(([key, { form }]) => [key, form])) as Forms;

/** One line of the list of steps. */
export const step = oneKind('a step', forms, {
  step: name.describe('Name of the step, unique within an environment'),
  in: z.array(name).min(1).describe('Environments in which it runs; default: all').optional(),
});
