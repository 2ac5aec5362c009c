// preflight: looks whether everything is there, before anything is changed.
import { z } from 'zod';
import { hostPort, program, threshold } from '../forms.ts';
import { limit, without } from '../to-plan-values.ts';
import type { Limit } from '../values.ts';
import { defineStep, line } from './step.ts';

export interface PreflightSpec {
  readonly tools: readonly string[];
  readonly reach?: readonly string[];
  readonly disk?: Limit;
}

export const preflight = defineStep({
  key: 'preflight',
  form: z
    .strictObject({
      tools: z.array(program).describe('Programs that must be installed').optional(),
      reach: z.array(hostPort).min(1).describe('Other services that must accept a connection').optional(),
      disk: threshold('disk', 'at least 300% of database', 'at least 20GB').describe('Free disk').optional(),
    })
    .describe('Checks prerequisites (read-only)'),
  toSpec: (file) =>
    without<PreflightSpec>({
      tools: file.tools ?? [],
      reach: file.reach,
      disk: file.disk === undefined ? undefined : limit(file.disk, 'disk'),
    }),
  kinds: { preflight: line<PreflightSpec>()({ changes: [], programs: [] }) },
  lines: (spec, name) => [{ kind: 'preflight', name, spec }],
  rules: [],
});
