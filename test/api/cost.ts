// Starts that cost a reader as much as 1 MB can: well shaped, and signed by nobody.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { signedStart } from './deployments.ts';

const MB = 1_000_000;
const plan = readFileSync(
  join(import.meta.dirname, '../../examples/orders/releases/v2/soakgate.yaml'),
  'utf8',
);

/** What takes longest to read, by `test/core/plan/cost.test.ts`. */
const texts: Readonly<Record<string, string>> = {
  steps: `steps:\n${'  - { step: a, run: {} }\n'.repeat(4_300)}# ${'x'.repeat(880_000)}\n`,
  escapes: `a: "${String.raw`\x41`.repeat(MB / 4 - 3)}"`,
  condition: plan.replace(/bad: .*/u, `bad: "${'a and '.repeat(160_000)}"`),
  keys: Array.from({ length: 24_000 }, (_, at) => `k${at}: 1`).join('\n'),
};

/** The bodies of starts whose plan is long to read, by what it holds. */
export const costlyStarts = (): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(texts).map(
      ([name, planText]) => [name, JSON.stringify(signedStart({ planText }))] as const,
    ),
  );
