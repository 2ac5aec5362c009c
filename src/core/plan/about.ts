// What a plan says for people only: what is protected by which checks, whom to call, where to read more.
import type { Plan } from './plan.ts';

/** One line each; empty where the plan says nothing. */
export function aboutLines({
  contacts = {},
  links = {},
  protections = {},
}: Pick<Plan, 'contacts' | 'links' | 'protections'>): readonly string[] {
  return [
    ...Object.entries(protections).map(([what, steps]) => `protects ${what}, checked by ${steps.join(', ')}`),
    ...Object.entries(contacts).map(([role, whom]) => `call ${role}: ${whom}`),
    ...Object.entries(links).map(([name, where]) => `read ${name}: ${where}`),
  ];
}
