// What a source of a monitor is: its form in the plan, the metrics it gives, and what it reads. One file a
// source.
import type { z } from 'zod';
import type { Argv } from '../values.ts';

/** Metrics that a source gives by itself. */
export interface Given {
  /** What the source is called in a remark: `a monitor over HTTP`. */
  readonly over: string;
  readonly metrics: readonly string[];
}

type Written<Beside extends z.ZodRawShape> = Partial<z.output<z.ZodObject<Beside>>>;

export interface SourceDefinition<
  Key extends string,
  Form extends z.ZodType,
  Beside extends z.ZodRawShape,
  Read,
> {
  /** The key in `read`. */
  readonly key: Key;
  readonly form: Form;
  /** Optional keys of `read` that go with this source only. */
  readonly beside: Beside;
  readonly toRead: (file: z.output<Form>, beside: Written<Beside>) => Read;
  /** Left out: its metrics are places in what it answers. */
  readonly given?: (read: Read) => Given;
  /** Each metric says where it stands (`at`): what is answered has no form of its own. */
  readonly needsPlaces?: true;
  /** Its metrics may be ratios of two of its columns (`of`). */
  readonly givesRatios?: true;
  /** Says what happened since the last sample, so that reading it again at once says nothing more. */
  readonly countsSince: (read: Read) => boolean;
  readonly asksOverHttp?: true;
  /** Has a session of its own while it is read. */
  readonly readsDatabase?: true;
  /** The path whose latency in the baseline is the baseline of its own `latency`. */
  readonly measures?: (read: Read) => string;
  /** Files of the release that it names: hashed, and compared in the checkout. */
  readonly files: (read: Read) => readonly string[];
  /** The programs it runs, for the guardrails. */
  readonly programs: (read: Read) => readonly Argv[];
}

/** A source, with all its types inferred from its one file. */
export const defineSource = <
  const Key extends string,
  Form extends z.ZodType,
  const Beside extends z.ZodRawShape,
  Read,
>(
  definition: SourceDefinition<Key, Form, Beside, Read>,
): SourceDefinition<Key, Form, Beside, Read> => definition;
