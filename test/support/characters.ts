// The genuine Django product for tests of single activities: repositories, databases in two states, and its
// plan for one environment.
import { mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  checkOut,
  DECISIONS,
  managed,
  makeRepository,
  query,
  root,
} from '../examples/validation-system/app.ts';
import { pythonEnvironment } from '../examples/validation-system/python.ts';
import type { Bench, HandsSpec } from './hands.ts';

export const MIGRATIONS = [
  'characters.0003_add_xp_constraints',
  'characters.0004_add_attribute_constraints',
  'characters.0005_add_ability_constraints',
  'characters.0006_add_willpower_constraints',
  'characters.0007_add_age_constraints',
  'game.0003_add_st_relationship_constraint',
] as const;

export interface Characters {
  /**
   * A rollout of the app on a clone of a database: `dirty` as v-prev leaves it, `decided` with only what the
   * fix mends.
   */
  spec(steps: string, options?: Options): Promise<HandsSpec>;
}

export interface Options {
  readonly state?: 'dirty' | 'decided' | 'clean';
  readonly fault?: string;
  readonly pending?: readonly string[];
  readonly env?: string;
}

/** The example's plan with its first environment alone. */
export const withoutProduction = (plan: string): string =>
  plan
    .replace(/ {2}production:\n(?: {4}.*\n)+/u, '')
    .replace(/^gate:[\s\S]*?\n\n/mu, '')
    .replace(/ {2}- step: data {2,}#[\s\S]*?in: \[production\]\n/u, '')
    .replace(/.*in: \[production\].*\n/gu, '');

/**
 * The same with its second environment alone: behind its flag, in its window, after its approvals, and
 * watched.
 */
export const withoutStaging = (plan: string): string =>
  plan
    .replace(/^protections:[^\n]*\n(?: {2}.*\n)+/mu, '')
    .replace(/ {2}staging:\n(?: {4}.*\n)+/u, '')
    .replace(/ {2}- step: (?:data|tests)[^\n]*\n(?: {4,}(?!in:).*\n)+ {4}in: \[staging\]\n/gu, '')
    .replace(/.*in: \[staging\].*\n/gu, '')
    .replaceAll(', in: [production]', '')
    .replaceAll('    in: [production]\n', '')
    .replace(/ {4}sealed: .*\n/u, '')
    .replace('[window-open, notice-given]', '[window-open]')
    .replace(/ {4}attested:\n(?: {6}- .*\n)+/u, '');

/** The cached environment takes the place of `pip install`, which every rollout would do again. */
export const installOf = (python: string): string => `[[rmdir, .venv], [ln, -s, ${python}, .venv]]`;

export async function raiseCharacters(bench: Bench): Promise<Characters> {
  const python = await pythonEnvironment();
  if (python === null) throw new Error('python3 with venv is missing');
  const repositories = new Map<string, string>();
  const repositoryOf = async (fault = '') => {
    const made = repositories.get(fault);
    if (made) return made;
    const path = join(await mkdtemp(join(bench.folder, 'tg-')), 'repository');
    await makeRepository(path, fault ? ['--fault', fault] : []);
    repositories.set(fault, path);
    return path;
  };
  const first = await repositoryOf();
  const [prev, next] = [
    await checkOut({ path: first } as never, 'v-prev', join(bench.folder, 'prev')),
    await checkOut({ path: first } as never, 'v-next', join(bench.folder, 'next')),
  ];
  const url = (name: string) => bench.postgres.url(name);
  await bench.postgres.createDatabase('tg_dirty');
  await managed(prev, url('tg_dirty'), ['migrate', '--verbosity', '0']);
  await managed(prev, url('tg_dirty'), ['seed_dirty']);
  await bench.postgres.createDatabase('tg_decided', 'tg_dirty');
  await query(url('tg_decided'), DECISIONS);
  await bench.postgres.createDatabase('tg_clean', 'tg_decided');
  await managed(next, url('tg_clean'), ['validate_data_integrity', '--fix']).catch(() => undefined);
  return {
    spec: async (steps, { state = 'clean', fault, pending = MIGRATIONS, env = '' } = {}) => {
      const plan = `soakgate: 1
service: tg
summary: For one hand
kind: constraints
release: { ref: v-next, lock: requirements.txt, environment: .venv, install: ${installOf(python)} }
commands: { path: [.venv/bin], env: { DATABASE_URL: { from: database }${env} } }
migrations: { django: { manage: manage.py, pending: [${pending.join(', ')}] } }
environments: { here: { url: 'http://127.0.0.1:1', watch: { for: 1h, every: 1m, gap: at most 5m } } }
monitors: { site: { read: { http: { get: /health, status: 200 } }, metrics: { failures: { objective: exactly 0, alert: above 2 in a row } } } }
steps:
${steps}
fallbacks:
  downgrade: { to: recorded }
  relax-age: { forward: characters.relax_age_constraint }
  drop-constraints: { forward: characters.remove_validation_constraints }
matrix: [{ when: rest, do: stop, severity: high }]
`;
      return {
        steps,
        template: `tg_${state}`,
        app: { plan, repository: await repositoryOf(fault), ref: 'v-next' },
      };
    },
  };
}

/** The plan as the example has it. */
export const examplePlan = (): Promise<string> =>
  readFile(join(root, 'releases/v-next/soakgate.yaml'), 'utf8');
