// The two releases as files: one git history with stable hashes, one app told twice, one plan that fits its
// code.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parsePlan } from '../../../src/core/plan/parse.ts';
import { node, read, forbiddenWrites, root } from './shop.ts';
import { ranNow } from '../../support/programs.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'orders-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const git = (repository: string, ...args: string[]): string =>
  ranNow('git', ['-C', repository, ...args]).trim();
const make = async (
  name: string,
  ...args: string[]
): Promise<{ path: string; shas: { v1: string; v2: string } }> => {
  const path = join(folder, name);
  return {
    path,
    shas: JSON.parse(
      await node('make-repository.mjs', [path, ...args], {
        GIT_AUTHOR_NAME: 'somebody',
        GIT_DIR: '/nowhere',
      }),
    ) as {
      v1: string;
      v2: string;
    },
  };
};

describe('make-repository', () => {
  test('gives two tagged commits with the same hashes every time', async () => {
    const [first, second] = [await make('one'), await make('two')];
    expect(second.shas).toEqual(first.shas);
    expect(first.shas).toEqual({
      v1: git(first.path, 'rev-parse', 'v1'),
      v2: git(first.path, 'rev-parse', 'v2'),
    });
    expect(git(first.path, 'log', '--format=%H %an', 'main').split('\n')).toEqual([
      `${first.shas.v2} Orders`,
      `${first.shas.v1} Orders`,
    ]);
    expect(git(first.path, 'status', '--porcelain')).toBe('');
    for (const [tag, plan] of [
      ['v1', false],
      ['v2', true],
    ] as const) {
      const files = git(first.path, 'ls-tree', '-r', '--name-only', tag).split('\n');
      expect(files).toContain('server.mjs');
      expect(files.includes('soakgate.yaml')).toBe(plan);
    }
  });

  test('puts a fault into v2 only', async () => {
    const good = await make('good');
    for (const file of readdirSync(join(root, 'faults'))) {
      const fault = file.replace(/\.sql$/, '');
      const { path, shas } = await make(fault, '--fault', fault);
      expect(shas.v1).toBe(good.shas.v1);
      expect(shas.v2).not.toBe(good.shas.v2);
      const target = `migrations/${fault.slice(0, fault.lastIndexOf('.'))}.sql`;
      expect(git(path, 'show', `v2:${target}`)).toBe(read(`faults/${file}`).trim());
      expect(git(path, 'diff', '--name-only', good.shas.v1, 'v2')).toBe(
        git(good.path, 'diff', '--name-only', 'v1', 'v2'),
      );
    }
  }, 30_000);

  test('refuses a folder that is not empty and a fault that does not exist', async () => {
    await expect(make('.')).rejects.toMatchObject({ code: 2 });
    await expect(make('three', '--fault', 'none')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('leaves-a-grant') as string,
    });
  });
});

test('the releases differ only where v2 is new', () => {
  const list = (release: string) =>
    readdirSync(join(root, 'releases', release), { recursive: true, encoding: 'utf8' }).filter((path) =>
      /\.\w+$/.test(path),
    );
  const both = list('v1').filter((path) => list('v2').includes(path));
  expect(list('v1').filter((path) => !both.includes(path))).toEqual([]);
  expect(both.filter((path) => read(`releases/v1/${path}`) !== read(`releases/v2/${path}`)).sort()).toEqual([
    'flows/orders.yaml',
    'orders.mjs',
    'package.json',
  ]);
});

test('migrations hold no transaction and no stamp of their own, and each has its rollback', () => {
  const texts = ['releases/v1/migrations', 'releases/v2/migrations', 'faults'].flatMap((place) =>
    readdirSync(join(root, place)).map((file) => [`${place}/${file}`, read(`${place}/${file}`)] as const),
  );
  for (const [path, text] of texts) {
    const statements = text.replaceAll(/--.*$/gm, '');
    expect(statements, path).not.toMatch(
      /\b(begin|commit|rollback)\b|into schema_migrations|from schema_migrations/i,
    );
    expect(statements.match(/insert into audit\.change_ledger/g), path).toHaveLength(1);
    if (path.startsWith('releases') && !path.endsWith('.down.sql'))
      expect(existsSync(join(root, path.replace(/\.sql$/, '.down.sql'))), path).toBe(true);
  }
});

describe('the plan', () => {
  const text = readFileSync(join(root, 'releases/v2/soakgate.yaml'), 'utf8');
  const plan = parse(text) as Record<string, any>;

  test('is one that Soakgate accepts', () => {
    expect(parsePlan(text, 'soakgate.yaml')).toMatchObject({
      plan: { service: 'orders', migrations: { options: { journal: 'audit.change_ledger' } } },
    });
  });

  test('reads the same under YAML 1.1 and 1.2', () => {
    expect(parse(text, { version: '1.1' })).toEqual(plan);
  });

  test('names what the release has', () => {
    const files = [
      ...plan['migrations'].sql.pending.map((name: string) => `migrations/${name}.sql`),
      ...plan['steps'].flatMap((step: { flows?: string }) => step.flows ?? []),
      ...Object.values<any>(plan['monitors']).flatMap(
        ({ read: { sql, counters, command } }) => sql ?? counters ?? command?.[1] ?? [],
      ),
    ];
    expect(files).toHaveLength(6);
    for (const file of files) expect(existsSync(join(root, 'releases/v2', file)), file).toBe(true);
    const step = (name: string) =>
      plan['steps'].find((candidate: { step: string }) => candidate.step === name);
    const made = plan['migrations'].sql.pending.flatMap((name: string) =>
      [...read(`releases/v2/migrations/${name}.sql`).matchAll(/add constraint (\w+)/g)].map(
        (match) => match[1],
      ),
    );
    expect(new Set(step('schema').check.constraints)).toEqual(new Set(made));
    expect(new Set(forbiddenWrites.map(({ by }) => by))).toEqual(new Set(made));
  });
});
