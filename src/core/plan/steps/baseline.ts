// baseline: records the figures that `of baseline` is measured against.
import { z } from 'zod';
import { oneOrMore, samples, urlPath } from '../forms.ts';
import { listed, without } from '../to-plan-values.ts';
import { defineStep, line } from './step.ts';

export interface BaselineSpec {
  readonly http?: { readonly get: readonly string[]; readonly samples: number };
}

export const baseline = defineStep({
  key: 'baseline',
  form: z
    .strictObject({
      http: z
        .strictObject({
          get: oneOrMore(urlPath).describe('Paths to measure'),
          samples: samples.describe('Requests for each path; default: 200').optional(),
        })
        .describe('Response times')
        .optional(),
    })
    .describe('Records the figures that `of baseline` is measured against'),
  toSpec: ({ http }) =>
    without<BaselineSpec>({ http: http && { get: listed(http.get), samples: http.samples ?? 200 } }),
  kinds: { baseline: line<BaselineSpec>()({ changes: [], programs: [] }) },
  lines: (spec, name) => [{ kind: 'baseline', name, spec }],
  asksOverHttp: ({ http }) => http !== undefined,
  rules: [],
});
