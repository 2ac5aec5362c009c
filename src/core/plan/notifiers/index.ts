// The list of notifiers: one line each.
import { z } from 'zod';
import type { NotifierDefinition } from './notifier.ts';
import { command } from './command.ts';
import { webhook } from './webhook.ts';

export const notifiers = { webhook, command } as const;

type Notifiers = typeof notifiers;
export type NotifierKey = keyof Notifiers;

/** Notifier → the options that its sender is handed. */
export type NotifierOptions = {
  readonly [Key in NotifierKey]: Notifiers[Key] extends NotifierDefinition<string, infer Shape>
    ? Readonly<z.output<z.ZodObject<Shape>>>
    : never;
};

/** One entry of `notifiers:` in an environment's file. */
export type NotifierEntry = {
  readonly [Key in NotifierKey]?: NotifierOptions[Key] | undefined;
};

/** The form of one entry: exactly one notifier. */
export const notifierForm = z
  .strictObject(
    Object.fromEntries(
      Object.values(notifiers).map(({ key, options }) => [key, z.strictObject(options).optional()]),
    ),
  )
  .refine((entry) => Object.keys(entry).length === 1, {
    message: `must name one notifier: ${Object.keys(notifiers).join(' or ')}`,
  })
  .transform((entry) => entry as NotifierEntry);
