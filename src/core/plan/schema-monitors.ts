// The file format of monitors and of the observation that reads them.
import { z } from 'zod';
import { quote } from './complaint.ts';
import { cronFault } from './cron-line.ts';
import { parseLimit } from './limit.ts';
import { keysBeside } from './monitors/facts.ts';
import { type SourceKey, sources } from './monitors/index.ts';
import { nearestHint } from './nearest.ts';
import { atMost, column, duration, form, name, oneKind, pointer, metricThreshold, text } from './forms.ts';

const metric = z
  .strictObject({
    at: pointer
      .describe(
        'JSON pointer into the output of the monitor; default: the column with the name of the metric',
      )
      .optional(),
    of: column.describe("Ratio of this column's growth to that column's growth").optional(),
    unit: z.enum(['ratio', 'percent', 'ms', 's', 'count']).describe('Unit of the number').optional(),
    objective: metricThreshold
      .describe('Threshold that the metric should meet; a miss ends a clean day')
      .optional(),
    alert: metricThreshold.describe('Threshold of an alert; the decision matrix answers').optional(),
    samples: z.int().min(1).describe('Minimum number of events for the number to count').optional(),
    advice: text.max(300).describe('What to do about an alert; shown with it').optional(),
  })
  .superRefine(
    (value: unknown, context) => {
      const { unit, of, ...thresholds } = (value ?? {}) as Partial<Record<string, unknown>>;
      for (const key of ['objective', 'alert'] as const) {
        const words = thresholds[key];
        if (typeof words !== 'string') continue;
        const result = parseLimit(words, { metric: unitOf(unit, of) });
        if ('message' in result)
          context.addIssue({
            code: 'custom',
            path: [key],
            message: result.message,
            params: { hint: result.hint },
          });
      }
    },
    { when: () => true },
  );

/** The unit in which a metric's thresholds are read: `of` makes a ratio. */
export function unitOf(unit: unknown, of: unknown): 'ratio' | 'percent' | 'ms' | 's' | 'count' | undefined {
  if (unit === 'ratio' || unit === 'percent' || unit === 'ms' || unit === 's' || unit === 'count')
    return unit;
  return of === undefined ? undefined : 'ratio';
}

type Forms = { readonly [Key in SourceKey]: (typeof sources)[Key]['form'] };

const forms = Object.fromEntries(Object.entries(sources).map(([key, { form }]) => [key, form])) as Forms;
/** Every key that goes with one source only may be left out. */
const beside = Object.fromEntries(
  Object.values(sources).flatMap((source) =>
    Object.entries<z.ZodType>(source.beside).map(([key, form]) => [key, form.optional()]),
  ),
) as Readonly<Record<never, z.ZodType>>;

const read = oneKind('a monitor', forms, beside)
  .superRefine((value, context) => {
    const written: Readonly<Record<string, unknown>> = value;
    for (const [key, source] of Object.entries(keysBeside))
      if (written[key] !== undefined && written[source] === undefined)
        context.addIssue({
          code: 'custom',
          path: [key],
          message: `goes with ${source} only`,
          params: { hint: 'take it out', at: 'key' },
        });
  })
  .describe('Source of the metrics');

/** A source of numbers. */
export const monitor = z.strictObject({
  read,
  every: duration.describe('How often it is sampled; overrides the soak').optional(),
  metrics: z
    .record(name, metric)
    .refine((metrics) => Object.keys(metrics).length > 0, {
      error: 'is empty, so the monitor judges nothing',
      params: { hint: 'e.g. failures: { objective: exactly 0, alert: above 2 in a row }' },
    })
    .describe('Its metrics, each with thresholds'),
});

const length = {
  for: duration.describe('How long'),
  every: duration.describe('How often the monitors are sampled'),
};
const gap = atMost.describe('Longest gap between samples; a longer gap extends the soak');

/** Judged observation before the gate. */
export const soak = z
  .strictObject({
    ...length,
    'clean-days': z
      .int()
      .min(1)
      .max(366)
      .describe('Days in a row without a missed objective or a long gap')
      .optional(),
    gap,
    extend: atMost.describe('How long it may extend itself before it asks for a decision').optional(),
  })
  .describe('Judged observation before the next gate');

/** Judged observation after the last environment's rollout. */
export const watch = z.strictObject({ ...soak.shape }).describe('Judged observation after the last rollout');

/** A look now and then, when the last observation is over. */
export const afterwards = z
  .strictObject({
    every: duration.describe('How often the checks run'),
    monitors: z.array(name).min(1).describe('Which monitors are read; default: all').optional(),
  })
  .describe('Post-deployment checks after the last soak or watch, until soakgate stop-checks');

const CRON_LINE = /^(?:[\d*,/-]+) (?:[\d*,/-]+) (?:[\d*,/?L-]+) (?:[\dA-Za-z*,/-]+) (?:[\dA-Za-z*,/#?L-]+)$/u;

/** When an environment may be deployed to. */
export const window = z
  .strictObject({
    opens: form(CRON_LINE, 'cron line of five fields', '0 2 * * SUN')
      .superRefine((line, context) => {
        const fault = CRON_LINE.test(line) ? cronFault(line) : null;
        if (fault !== null)
          context.addIssue({
            code: 'custom',
            message: `cannot be read: ${fault}`,
            params: { hint: 'minute, hour, day, month and weekday, e.g. 0 2 * * SUN' },
          });
      })
      .describe('When the window opens'),
    zone: text
      .superRefine((zone, context) => {
        if (isZone(zone)) return;
        const hint = nearestHint(zone, Intl.supportedValuesOf('timeZone'));
        context.addIssue({
          code: 'custom',
          message: `${quote(zone)} is not a time zone`,
          params: { hint: hint?.startsWith('nearest') ? hint : 'e.g. Europe/Berlin' },
        });
      })
      .meta({ title: 'time zone', examples: ['Europe/Berlin'] })
      .describe('Time zone of the window'),
    length: duration.describe('How long it stays open'),
    notice: duration.describe('Required notice period').optional(),
  })
  .describe('When the environment may be deployed to');

function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }) instanceof Intl.DateTimeFormat;
  } catch {
    return false;
  }
}
