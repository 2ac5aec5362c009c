// soakgate init on real folders: what it writes validates as it stands and can be planned; and it never
// writes over anything.
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parsePlan } from '../../src/core/plan/parse.ts';
import type { Plan } from '../../src/core/plan/plan.ts';
import { call } from './call.ts';
import { ranNow } from '../support/programs.ts';

const examples = join(import.meta.dirname, '../../examples');
let folder = '';
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'sg-init-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

async function written(path: string): Promise<{ plan: Plan; text: string }> {
  const text = await readFile(path, 'utf8');
  const parsed = parsePlan(text, path);
  if ('complaints' in parsed) throw new Error(JSON.stringify(parsed.complaints, null, 1));
  return { plan: parsed.plan, text };
}

/**
 * The copy of an example without its plan: made by its own script with its tags, or laid together without a
 * repository.
 */
async function copyOf(example: 'orders' | 'validation-system', name: string, git: boolean): Promise<string> {
  const to = join(folder, name);
  await mkdir(to);
  const from = join(examples, example);
  if (git) ranNow(process.execPath, [join(from, 'make-repository.mjs'), to]);
  else
    for (const part of example === 'orders' ? ['releases/v2'] : ['every-release', 'releases/v-next'])
      await cp(join(from, part), to, { recursive: true });
  await rm(join(to, 'soakgate.yaml'));
  return to;
}

/** Validates and plans as a person would, and says what init said. */
async function init(to: string, ...more: string[]): Promise<{ plan: Plan; text: string; err: string }> {
  const { code, out, err } = await call(['init', to, ...more]);
  expect({ code, out }).toEqual({ code: 0, out: `${to}/soakgate.yaml\n` });
  expect(await call(['validate', `${to}/soakgate.yaml`])).toMatchObject({
    code: 0,
    out: expect.stringContaining('is valid'),
  });
  expect(await call(['plan', `${to}/soakgate.yaml`])).toMatchObject({
    code: 0,
    out: expect.stringContaining('rollback, in this order:'),
  });
  const { plan, text } = await written(join(to, 'soakgate.yaml'));
  return { plan, text, err };
}

const ownPlan = async (example: string, release: string) =>
  (await written(join(examples, example, 'releases', release, 'soakgate.yaml'))).plan;

describe.concurrent('what is found', () => {
  test('orders with its tags: exactly what its own plan declares as pending', async () => {
    const to = await copyOf('orders', 'orders-git', true);
    const { plan, err } = await init(to);
    expect(plan.migrations).toMatchObject({
      tool: 'sql',
      options: { folder: 'migrations' },
      pending: (await ownPlan('orders', 'v2')).migrations?.pending,
    });
    expect(plan.release.ref).toBe('v2');
    expect(plan.environments[0]?.services).toMatchObject([
      { name: 'web', tool: 'process', options: { command: ['node', 'server.mjs'] } },
    ]);
    expect(err).toContain(`soakgate validate ${to}/soakgate.yaml`);
  });

  test('orders without a repository: nothing is guessed, each migration stands there as a comment', async () => {
    const { plan, text, err } = await init(await copyOf('orders', 'orders-bare', false));
    expect(plan.migrations?.pending).toEqual([]);
    for (const name of ['0001_schema', '0002_order_guards', '0003_order_totals'])
      expect(text).toContain(`\n      # - ${name}\n`);
    expect(err).toContain('git init');
  });

  test(
    'the validation system with its tags: Django, its environment, Gunicorn; with --unit the unit ' +
      'instead',
    async () => {
      const to = await copyOf('validation-system', 'tg-git', true);
      const own = await ownPlan('validation-system', 'v-next');
      const { plan } = await init(to);
      expect(plan.migrations).toEqual(own.migrations);
      expect(plan.release).toEqual(own.release);
      expect(plan.commands).toEqual(own.commands);
      expect(plan.environments[0]?.services).toMatchObject([
        { options: { command: ['.venv/bin/python', '-m', 'gunicorn', 'tg.wsgi'] } },
      ]);
      await rm(join(to, 'soakgate.yaml'));
      const units = (await init(to, '--unit', 'gunicorn.service', '--unit', 'nginx')).plan.environments[1]
        ?.services;
      expect(units).toMatchObject([
        { name: 'gunicorn', tool: 'systemd', options: { unit: 'gunicorn.service' } },
        { name: 'nginx', tool: 'systemd', options: { unit: 'nginx' } },
      ]);
    },
  );

  test('the validation system without a repository: the newest are named in comments', async () => {
    const { plan, text } = await init(await copyOf('validation-system', 'tg-bare', false));
    expect(plan.migrations).toMatchObject({ tool: 'django', options: { manage: 'manage.py' }, pending: [] });
    expect(text).toContain('# - characters.0007_add_age_constraints');
  });

  test('a folder below the top of the checkout, and a migration that nobody has committed', async () => {
    const top = await copyOf('orders', 'orders-below', true);
    const git = (...args: string[]) =>
      ranNow('git', ['-C', top, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args]);
    await mkdir(join(top, 'shop'));
    for (const name of await readdir(top))
      if (!['.git', 'shop'].includes(name))
        await cp(join(top, name), join(top, 'shop', name), { recursive: true });
    git('add', 'shop');
    git('commit', '-qm', 'below');
    for (const file of ['0004_late.sql', '0004_late.down.sql'])
      await writeFile(join(top, 'shop/migrations', file), 'select 1;');
    const { plan, err } = await init(join(top, 'shop'));
    expect(plan.migrations?.options).toMatchObject({ folder: 'shop/migrations' });
    expect(plan.environments[0]?.services).toMatchObject([
      { options: { command: ['node', 'shop/server.mjs'] } },
    ]);
    expect(plan.release.ref).not.toBe('v2');
    expect(err).toContain('migrations/0004_late.sql is not committed yet');
  });

  test('pairs of .up.sql and .down.sql are migrations in golang-migrate’s layout', async () => {
    const to = join(folder, 'golang');
    await mkdir(join(to, 'db/migrations'), { recursive: true });
    for (const name of ['10_c', '9_b']) {
      await writeFile(join(to, `db/migrations/${name}.up.sql`), '');
      await writeFile(join(to, `db/migrations/${name}.down.sql`), '');
    }
    await writeFile(join(to, 'db/migrations/11_d.up.sql'), '');
    const { plan, text, err } = await init(to);
    expect(plan.migrations).toMatchObject({
      tool: 'golang-migrate',
      options: { folder: 'db/migrations', ledger: 'schema_migrations' },
      pending: [],
    });
    expect(text).toContain('      # - 9_b\n      # - 10_c\n      # - 11_d\n');
    expect(err).toContain('11_d.up.sql has no 11_d.down.sql');
  });

  test(
    'only a package.json: a release of code, with its rollback; the editor is told of an installed ' +
      'schema',
    async () => {
      const to = join(folder, 'code');
      await mkdir(join(to, 'node_modules/soakgate'), { recursive: true });
      await writeFile(join(to, 'node_modules/soakgate/schema.json'), '{}');
      await writeFile(
        join(to, 'package.json'),
        '{ "name": "@acme/No", "scripts": { "start": "node ./main.js" } }',
      );
      for (const file of ['main.js', 'package-lock.json']) await writeFile(join(to, file), '');
      const { plan, text, err } = await init(to);
      expect(plan).toMatchObject({
        service: 'no',
        kind: 'code',
        release: { lock: 'package-lock.json', install: [['npm', 'ci', '--omit=dev']] },
      });
      expect(plan).not.toHaveProperty('migrations');
      expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=./node_modules/soakgate/schema.json');
      expect(err).not.toContain('soakgate schema');
    },
  );
});

describe.concurrent('what is refused', () => {
  const refused = async (name: string, files: Readonly<Record<string, string>>, ...more: string[]) => {
    const to = join(folder, name);
    await mkdir(to, { recursive: true });
    for (const [file, text] of Object.entries(files)) await writeFile(join(to, file), text);
    const called = await call(['init', to, ...more]);
    expect(called.out).toBe('');
    expect((await readdir(to)).sort()).toEqual(Object.keys(files).sort());
    for (const [file, text] of Object.entries(files))
      expect(await readFile(join(to, file), 'utf8')).toBe(text);
    return called;
  };

  test('an empty folder', async () => {
    const { code, err } = await refused('empty', {});
    expect(code).toBe(2);
    expect(err).toMatch(/^soakgate: nothing in empty says what is deployed: .+\n {2}next: .+\n$/u);
  });

  test.each(['soakgate.yaml', 'soakgate.yml'])(
    'a folder with a %s: conflict, and it stays as it is',
    async (name) => {
      const { code, err } = await refused(`with-${name}`, { [name]: 'mine', 'package.json': '{}' });
      expect(code).toBe(6);
      expect(err).toContain(`${name} already exists and was not overwritten`);
      expect(err).toContain('--print');
    },
  );

  test('Alembic is not supported yet', async () => {
    const { code, err } = await refused('alembic', { 'alembic.ini': '', 'requirements.txt': 'alembic' });
    expect(code).toBe(2);
    expect(err).toContain('alembic.ini: Alembic is not supported yet');
  });

  test.each([['no-downs', { '0001_a.sql': '' }, 'none with a down file (0001_a.down.sql)']] as const)(
    'SQL files that could not be taken back: %s',
    async (name, files, said) => {
      const { code, err } = await refused(name, files);
      expect(code).toBe(2);
      expect(err).toContain(said);
    },
  );

  test('a folder that is not there, and a unit that is none', async () => {
    expect(await call(['init', join(folder, 'nowhere')])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('there is no folder'),
    });
    expect((await refused('bad-unit', {}, '--unit', '--print')).code).toBe(2);
  });
});

describe('--print and -o json', () => {
  test('print what would be written, beside a plan too, and write nothing', async () => {
    const to = await copyOf('orders', 'orders-print', true);
    await writeFile(join(to, 'soakgate.yaml'), 'mine');
    const { code, out } = await call(['init', to, '--print']);
    expect(code).toBe(0);
    expect('plan' in parsePlan(out, 'x')).toBe(true);
    const machine = JSON.parse((await call(['init', to, '--print', '-o', 'json'])).out);
    expect(machine).toMatchObject({
      written: false,
      text: out,
      found: { before: 'v1', migrations: { fresh: ['0002_order_guards', '0003_order_totals'] } },
    });
    expect(await readFile(join(to, 'soakgate.yaml'), 'utf8')).toBe('mine');
  });

  test('as JSON: the file, what was found, what to type next', async () => {
    const to = await copyOf('orders', 'orders-json', false);
    const machine = JSON.parse((await call(['init', to, '-o', 'json'])).out);
    expect(machine).toMatchObject({
      file: join(to, 'soakgate.yaml'),
      written: true,
      next: expect.arrayContaining([expect.stringContaining('validate')]),
    });
    expect('plan' in parsePlan(await readFile(machine.file, 'utf8'), 'x')).toBe(true);
  });
});
