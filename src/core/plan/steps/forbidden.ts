// forbidden: writes that must be refused, each in a transaction that is always rolled back.
import { z } from 'zod';
import { column, constraint, json, table } from '../forms.ts';
import type { Json } from '../values.ts';
import { defineStep, line } from './step.ts';

/** One forbidden write: set these columns on one existing row, and be refused by this constraint. */
export interface ForbiddenWrite {
  readonly table: string;
  readonly set: Readonly<Record<string, Json>>;
  readonly by: string;
}

export interface ForbiddenWritesSpec {
  readonly writes: readonly ForbiddenWrite[];
}

const forbiddenWrite = z.strictObject({
  table: table.describe('The table written to'),
  set: z
    .record(column, json)
    .refine((set) => Object.keys(set).length > 0, {
      error: 'sets no column, so nothing is tried',
      params: { hint: 'e.g. set: { total: -1 }' },
    })
    .meta({ title: 'columns', examples: [{ total: -1 }] })
    .describe('Values to set on one existing row'),
  by: constraint.describe('The constraint that must refuse it'),
});

export const forbidden = defineStep({
  key: 'forbidden',
  form: z
    .array(forbiddenWrite)
    .min(1)
    .describe('Writes that must be refused, each in a transaction that is always rolled back'),
  toSpec: (file) => file as readonly ForbiddenWrite[],
  kinds: { forbiddenWrites: line<ForbiddenWritesSpec>()({ changes: [], programs: [] }) },
  lines: (writes, name) => [{ kind: 'forbiddenWrites', name, spec: { writes } }],
  judges: true,
  triesWrites: true,
  rules: [],
});
