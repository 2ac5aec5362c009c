// The zone table stands in three places (lint, TypeScript references, ARCHITECTURE.md): here they are held
// together, and tried.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { zones, type Zone } from '../oxlint.config.ts';
import { ranNow, run } from './support/programs.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const pure = ['src/core', 'workflows'];
const existing = zones.filter(({ zone }) => existsSync(join(root, zone, 'tsconfig.json')));

interface TsConfig {
  compilerOptions?: { types?: string[]; lib?: string[] };
  references?: { path: string }[];
}
const readConfig = (folder: string): TsConfig =>
  JSON.parse(readFileSync(join(root, folder, 'tsconfig.json'), 'utf8'));
const referencesOf = (folder: string) =>
  (readConfig(folder).references ?? []).map(({ path }) => join(folder, path)).sort();

describe('the TypeScript references say what the lint table says', () => {
  test.each(existing)('$zone', ({ zone, mayImport, typesOnly = [], byPath = [] }) => {
    expect(referencesOf(zone)).toEqual([...mayImport, ...typesOnly, ...byPath].sort());
    expect(readConfig(zone).compilerOptions?.types ?? []).toEqual(pure.includes(zone) ? [] : ['node']);
    expect(readConfig(zone).compilerOptions?.lib).toBeUndefined();
  });

  test('every zone with a source file is checked', () => {
    expect(referencesOf('.')).toEqual([...existing.map(({ zone }) => zone), 'test'].sort());
    const tracked = ranNow('git', ['ls-files', '-co', '--exclude-standard', '*.ts'], { cwd: root }).split(
      '\n',
    );
    const used = zones.filter(({ zone }) => tracked.some((file) => file.startsWith(`${zone}/`)));
    expect(used.filter((zone) => !existing.includes(zone))).toEqual([]);
  });
});

const page = join(root, 'ARCHITECTURE.md');
describe.runIf(existsSync(page))('ARCHITECTURE.md says what the lint table says', () => {
  const rows = existsSync(page) ? readRows(readFileSync(page, 'utf8')) : [];

  test('it lists the same zones', () =>
    expect(rows.map(({ zone }) => zone).sort()).toEqual(zones.map(({ zone }) => zone).sort()));

  test.each(zones)('$zone', ({ zone, mayImport, typesOnly = [], byPath = [], except = [], packages }) => {
    const row = rows.find((candidate) => candidate.zone === zone);
    expect(sorted(row)).toEqual(sorted({ zone, mayImport, typesOnly, byPath, except, packages }));
  });
});

type Row = Required<Omit<Zone, 'packagesIn' | 'onlyIn' | 'listsAsTypes'>>;

/**
 * Reads the table whose first column is called `zone`; a row may stand for two zones whose packages are
 * parted by a slash.
 */
function readRows(text: string): Row[] {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => /^\|\s*zone\s*\|/u.test(line));
  const table = lines.slice(start + 2);
  const end = table.findIndex((line) => !line.startsWith('|'));
  return table.slice(0, end === -1 ? undefined : end).flatMap((line) => {
    const [names = '', mayImport = '', typesOnly = '', packages = ''] = line
      .replaceAll('`', '')
      .split('|')
      .slice(1);
    const sets = withoutBrackets(packages).split(' / ');
    return entries(names).map((zone, index) => rowOf(zone, mayImport, typesOnly, sets[index] ?? packages));
  });
}

function rowOf(zone: string, mayImport: string, typesOnly: string, packages: string): Row {
  const imports = entries(mayImport).filter((name) => !name.includes('…'));
  const byPath = imports.filter((name) => name.endsWith(' by path'));
  const excepted = /\(not ([^()]*)\)/u.exec(mayImport)?.[1] ?? '';
  return {
    zone,
    mayImport: imports.filter((name) => !byPath.includes(name)),
    typesOnly: entries(typesOnly),
    byPath: byPath.map((name) => name.replace(' by path', '')),
    except: entries(excepted).map((path) => (path.startsWith('src/') ? path : `src/core/${path}`)),
    packages: packages.includes('…') ? ['*'] : entries(packages),
  };
}

const sorted = (row: Row | undefined) =>
  row &&
  Object.fromEntries(
    Object.entries(row).map(([key, value]) => [key, Array.isArray(value) ? [...value].sort() : value]),
  );

const withoutBrackets = (cell: string) => cell.replaceAll(/\((?:[^()]|\([^()]*\))*\)/gu, '');
const entries = (cell: string) =>
  withoutBrackets(cell)
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== '–');

/** By the rule that must refuse it. */
const refused: Record<string, Record<string, string>> = {
  'eslint(no-restricted-imports)': {
    'src/core/outside.ts': `import { read } from '../io/files.ts'; export const x = read;`,
    'src/core/lazily.ts': `export const x = () => import('../io/files.ts');`,
    'src/core/passing-on.ts': `export type { Steps } from '../../activities/index.ts';`,
    'src/core/node.ts': `import { readFile } from 'node:fs'; export const x = readFile;`,
    'src/core/zod-outside-plan.ts': `import { z } from 'zod'; export const x = z;`,
    'src/core/parser-outside-plan.ts': `import { parse } from './plan/parse.ts'; export const x = parse;`,
    'src/core/plan/driver.ts': `import pg from 'pg'; export const x = pg;`,
    'workflows/value-of-activities.ts': `import { steps } from '../activities/index.ts'; export const x = steps;`,
    'workflows/own-proxy.ts': `import { proxyActivities } from '@temporalio/workflow'; export const x = proxyActivities;`,
    'workflows/kinds.ts': `import { stepKinds } from '../src/core/plan/steps/index.ts'; export const x = stepKinds;`,
    'src/core/compile.ts': `import { fallbackKinds } from './plan/fallbacks/index.ts'; export const x = fallbackKinds;`,
    'workflows/schema.ts': `import { schema } from '../src/core/plan/schema.ts'; export const x = schema;`,
    'activities/checks/upward.ts': `import { start } from '../../src/client/start.ts'; export const x = start;`,
    'activities/client.ts': `import { Client } from '@temporalio/client'; export const x = Client;`,
    'worker/imports-workflows.ts': `import { deployment } from '../workflows/index.ts'; export const x = deployment;`,
    'src/cli/commands/imports-worker.ts': `import { run } from '../../../worker/main.ts'; export const x = run;`,
    'test/hangs.test.ts': `import { execFileSync } from 'node:child_process'; export const x = execFileSync;`,
    'src/client/value-of-workflows.ts': `import { deployment } from '../../workflows/index.ts'; export const x = deployment;`,
  },
  'eslint(no-restricted-globals)': {
    'src/core/clock.ts': `export const x = () => Date.now();`,
    'workflows/clock.ts': `export const x = new Date(0);`,
  },
  'eslint(no-restricted-properties)': {
    'src/core/chance.ts': `export const x = () => Math.random();`,
  },
  'import(no-cycle)': {
    'src/io/round.ts': `import { y } from './trip.ts'; export const x = () => y;`,
    'src/io/trip.ts': `import { x } from './round.ts'; export const y = () => x;`,
    'src/io/circle.ts': `import type { Y } from './of-types.ts'; export type X = Y;`,
    'src/io/of-types.ts': `import type { X } from './circle.ts'; export type Y = X[];`,
  },
  'import(no-default-export)': {
    'src/io/nameless.ts': `export default 1;`,
  },
};

const accepted: Record<string, string> = {
  'src/core/plan/schema.ts': `import { z } from 'zod'; import { v } from '../verdict.ts'; export const schema = [z, v];`,
  'workflows/kinds-as-types.ts': `import type { StepKind } from '../src/core/plan/steps/index.ts'; export type X = StepKind;`,
  'src/core/verdict.ts': `export const v = 1;`,
  'workflows/activities.ts': `import { proxyActivities } from '@temporalio/workflow'; export const x = proxyActivities;`,
  'workflows/index.ts':
    `import { condition } from '@temporalio/workflow'; import type { steps } from ` +
    `'../activities/index.ts'; import { v } from '../src/core/verdict.ts'; export const x = ` +
    '[condition, v]; export type Steps = typeof steps;',
  'activities/index.ts':
    `import { join } from 'node:path'; import { Context } from '@temporalio/activity'; import { read } ` +
    `from '../src/io/files.ts'; export const steps = [join, Context, read];`,
  'src/io/files.ts':
    `import { readFile } from 'node:fs/promises'; import { v } from '../core/verdict.ts'; export const ` +
    'read = [readFile, v];',
  'src/client/start.ts':
    `import type { x } from '../../workflows/index.ts'; import { Client } from '@temporalio/client'; ` +
    'export const start = Client; export type X = typeof x;',
  'src/cli/commands/start.ts':
    `import { Command } from 'commander'; import { start } from '../../client/start.ts'; export const ` +
    'x = [Command, start];',
};

describe('tried on small files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'soakgate-zones-'));
  let complaints: string[] = [];
  const violations = Object.entries(refused).flatMap(([rule, files]) =>
    Object.entries(files).map(([path, source]) => ({ rule, path, source })),
  );

  beforeAll(async () => {
    const config = {
      'oxlint.config.ts': `export { default } from ${JSON.stringify(join(root, 'oxlint.config.ts'))};`,
    };
    for (const [path, source] of Object.entries({
      ...config,
      ...accepted,
      ...Object.fromEntries(violations.map(({ path, source }) => [path, source])),
    })) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), `${source}\n`);
    }
    // The type-aware half of the linter is looked for beside the files.
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    const oxlint = join(root, 'node_modules', 'oxlint', 'bin', 'oxlint');
    const { stdout, stderr } = await run(process.execPath, [oxlint, '-f', 'json'], { cwd: folder });
    if (!stdout) throw new Error(stderr);
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: { filename: string; code: string }[] };
    complaints = diagnostics.map(({ filename, code }) => `${filename}: ${code}`);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each(violations)('refused: $path', ({ rule, path }) =>
    expect(complaints.filter((line) => line.startsWith(`${path}:`))).toEqual([`${path}: ${rule}`]),
  );
  test.each(Object.keys(accepted))('accepted: %s', (path) =>
    expect(complaints.filter((line) => line.startsWith(`${path}:`))).toEqual([]),
  );
});
