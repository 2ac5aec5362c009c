// What a notifier is: its key and its form in an environment's file, and what it is handed.
import { z } from 'zod';

export interface NotifierDefinition<Key extends string, Shape extends z.ZodRawShape> {
  /** The key in the environment's file. */
  readonly key: Key;
  /** One line for people. */
  readonly meaning: string;
  readonly options: Shape;
}

/** A notifier, with the types of its options inferred from its one file. */
export const defineNotifier = <const Key extends string, Shape extends z.ZodRawShape>(
  notifier: NotifierDefinition<Key, Shape>,
): NotifierDefinition<Key, Shape> => notifier;

/** Where a secret lies: never its value. */
export const secretRef = z.union(
  [
    z.strictObject({
      env: z.string().regex(/^[A-Za-z_]\w*$/u, 'must be the name of an environment variable'),
    }),
    z.strictObject({ file: z.string().min(1) }),
  ],
  { error: 'must be { env: NAME } or { file: PATH }: a reference to the secret, never the secret itself' },
);

/** Something that waits for a person, as a notifier is handed it. */
export interface Notice {
  readonly deployment: string;
  readonly environment: string;
  /** The kind of what waits, as `soakgate status --json` has it. */
  readonly kind: string;
  /** What it waits for, in one sentence. */
  readonly text: string;
  /** The command that answers it, without `--as`. */
  readonly next: string | null;
}
