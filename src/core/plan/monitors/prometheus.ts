// Queries to a Prometheus server, one for each metric: its value now, or over a range.
import { z } from 'zod';
import { address, duration, name, text } from '../forms.ts';
import { ms, without } from '../to-plan-values.ts';
import { defineSource } from './source.ts';

/** What of a range is the number. */
export type Take = 'last' | 'mean' | 'least' | 'most';

export interface PrometheusRead {
  readonly prometheus: {
    readonly url: string;
    /** Name of a metric → PromQL that gives one series. */
    readonly queries: Readonly<Record<string, string>>;
    /** Left out: the value now. */
    readonly range?: { readonly overMs: number; readonly stepMs: number; readonly take: Take };
  };
}

export const prometheus = defineSource({
  key: 'prometheus',
  form: z
    .strictObject({
      url: address.describe('Where the Prometheus server answers'),
      queries: z
        .record(name, text)
        .describe('Metric → PromQL that gives one series; more are refused, none is no number'),
      range: z
        .strictObject({
          over: duration.describe('How far it looks back'),
          step: duration.describe('Time between two points'),
          take: z.enum(['last', 'mean', 'least', 'most']).describe('Which number of the range counts'),
        })
        .describe('Asks over a range instead of now')
        .optional(),
    })
    .describe('Asks a Prometheus server'),
  beside: {},
  toRead: ({ url, queries, range }): PrometheusRead => ({
    prometheus: without<PrometheusRead['prometheus']>({
      url,
      queries,
      range: range && { overMs: ms(range.over), stepMs: ms(range.step), take: range.take },
    }),
  }),
  given: (read) => ({ over: 'Prometheus', metrics: Object.keys(read.prometheus.queries) }),
  countsSince: () => false,
  files: () => [],
  programs: () => [],
});
