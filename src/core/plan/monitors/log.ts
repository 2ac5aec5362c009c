// New lines of log files, counted by named patterns; the files lie in the service's folder of logs.
import { z } from 'zod';
import { name, path, text } from '../forms.ts';
import { without } from '../to-plan-values.ts';
import { defineSource } from './source.ts';

export interface LogRead {
  readonly files: readonly string[];
  /** Name of a metric → regular expression; its first group says what is named in an alert. */
  readonly lines: Readonly<Record<string, string>>;
  /** Lines kept after one that fits, for the evidence. */
  readonly keep?: number;
}

const expression = text
  .refine(isExpression, {
    error: 'is no regular expression',
    params: { hint: 'e.g. \'IntegrityError.*"(\\w+)"\'' },
  })
  .meta({ title: 'regular expression', examples: ['IntegrityError'] });

function isExpression(written: string): boolean {
  try {
    return new RegExp(written, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}

export const log = defineSource({
  key: 'log',
  form: z
    .strictObject({
      files: z
        .array(path)
        .min(1)
        .describe("Files below the service's log folder; a line that appears in several files counts once"),
      lines: z
        .record(name, expression)
        .describe('Metric → regular expression of its lines; an alert shows what the first group matches'),
      keep: z.int().min(1).max(20).describe('Number of lines to keep after a match').optional(),
    })
    .describe('Counts the new lines of logs, across rotations'),
  beside: {},
  toRead: (file): { readonly log: LogRead } => ({
    log: without<LogRead>({ files: file.files, lines: file.lines, keep: file.keep }),
  }),
  given: (read) => ({ over: 'a log', metrics: Object.keys(read.log.lines) }),
  countsSince: () => true,
  files: () => [],
  programs: () => [],
});
