// The step lists of three plans as they are signed, with the hash that is signed: what a change of the
// compiler does to them is seen.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonical } from '../../src/core/canonical.ts';
import { compileSteps } from '../../src/core/compile.ts';
import { planFiles } from '../../src/core/plan/files.ts';
import { parsePlan, renderComplaint } from '../../src/core/plan/parse.ts';
import { sha256 } from '../../src/io/files.ts';
import { hashJson } from '../../src/io/trust.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Name of the pin → its plan. */
export const pinnedPlans: Readonly<Record<string, string>> = {
  'small-plan': 'test/fixtures/small-plan.yaml',
  'validation-system': 'examples/validation-system/releases/v-next/soakgate.yaml',
  orders: 'examples/orders/releases/v2/soakgate.yaml',
};

export const pinPath = (name: string): string => join(ROOT, 'test/replay/lists', `${name}.json`);

/** No repository: a commit that no plan depends on, and files that hold their own names. */
const COMMIT = 'c0ffee'.repeat(7).slice(0, 40);

/** The text of a pin: the hash of the plan, and hash and canonical list of each of its environments. */
export function pinText(name: string): string {
  const file = pinnedPlans[name]!;
  const parsed = parsePlan(readFileSync(join(ROOT, file), 'utf8'), file);
  if (!('plan' in parsed)) throw new Error(parsed.complaints.map(renderComplaint).join('\n'));
  const { plan } = parsed;
  const files = Object.fromEntries(planFiles(plan).map((path) => [path, sha256(path)]));
  const environments = plan.environments.map(({ name: environment }) => {
    const list = compileSteps({ plan, environment, commit: COMMIT, files, pace: null });
    return [environment, { sha256: hashJson(list), list: JSON.parse(canonical(list)) as unknown }] as const;
  });
  const pin = { plan: hashJson(plan), environments: Object.fromEntries(environments) };
  return `${JSON.stringify(pin, null, 1)}\n`;
}
