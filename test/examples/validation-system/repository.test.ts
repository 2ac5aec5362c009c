// The releases as files: one git history with stable hashes, a plan that Soakgate accepts and that fits the
// code.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseFlows } from '../../../src/core/plan/flows.ts';
import { parsePlan } from '../../../src/core/plan/parse.ts';
import { makeRepository, read, root } from './app.ts';
import { ranNow } from '../../support/programs.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tg-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const git = (repository: string, ...args: string[]): string =>
  ranNow('git', ['-C', repository, ...args]).trim();

describe('make-repository', () => {
  test('gives two tagged commits with the same hashes every time', async () => {
    const strange = { GIT_AUTHOR_NAME: 'somebody', GIT_DIR: '/nowhere' };
    const [first, second] = [
      await makeRepository(join(folder, 'one'), [], strange),
      await makeRepository(join(folder, 'two')),
    ];
    expect(second.shas).toEqual(first.shas);
    expect(first.shas).toEqual({
      'v-prev': git(first.path, 'rev-parse', 'v-prev'),
      'v-next': git(first.path, 'rev-parse', 'v-next'),
    });
    expect(git(first.path, 'log', '--format=%H %an', 'main').split('\n')).toEqual([
      `${first.shas['v-next']} TG`,
      `${first.shas['v-prev']} TG`,
    ]);
    expect(git(first.path, 'status', '--porcelain')).toBe('');
    for (const tag of ['v-prev', 'v-next'] as const) {
      const files = git(first.path, 'ls-tree', '-r', '--name-only', tag).split('\n');
      for (const file of ['manage.py', 'requirements.txt', 'characters/models/core/human.py'])
        expect(files).toContain(file);
      for (const file of [
        'soakgate.yaml',
        'flows/xp.yaml',
        'monitors/database.sql',
        'characters/integrity.py',
      ])
        expect(files.includes(file), file).toBe(tag === 'v-next');
      expect(files.includes('characters/management/commands/seed_dirty.py')).toBe(tag === 'v-prev');
      expect(files.filter((file) => file.includes('pycache'))).toEqual([]);
    }
  });

  test('lays a fault over v-next only', async () => {
    const good = await makeRepository(join(folder, 'good'));
    for (const fault of readdirSync(join(root, 'faults'))) {
      const { path, shas } = await makeRepository(join(folder, fault), ['--fault', fault]);
      expect(shas['v-prev']).toBe(good.shas['v-prev']);
      expect(shas['v-next'], fault).not.toBe(good.shas['v-next']);
      const differs = git(path, 'diff', '--name-only', `${shas['v-prev']}`, 'v-next').split('\n');
      const without = git(good.path, 'diff', '--name-only', 'v-prev', 'v-next').split('\n');
      expect(differs.filter((file) => !without.includes(file)).length, fault).toBeLessThanOrEqual(1);
    }
  }, 30_000);

  test('refuses a folder that is not empty and a fault that does not exist', async () => {
    await expect(makeRepository(folder)).rejects.toMatchObject({ code: 2 });
    await expect(makeRepository(join(folder, 'three'), ['--fault', 'none'])).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('seventh-migration') as string,
    });
  });
});

describe('the plan', () => {
  const text = read('releases/v-next/soakgate.yaml');
  const plan = parse(text) as Record<string, any>;
  const step = (name: string) => plan['steps'].find((candidate: { step: string }) => candidate.step === name);
  const migrations = (app: string) => join(root, `releases/v-next/${app}/migrations`);

  test('is one that Soakgate accepts, and reads the same under YAML 1.1', () => {
    expect(parsePlan(text, 'soakgate.yaml')).toMatchObject({ plan: { service: 'tg' } });
    expect(parse(text, { version: '1.1' })).toEqual(plan);
  });

  test('stays one with plain processes instead of systemd, as the README says', () => {
    const [, block] = /```yaml\n([\s\S]+?)```/.exec(read('README.md'))!;
    const process = parse(block!) as Record<string, { services: unknown }>;
    const changed = structuredClone(plan);
    for (const [name, { services }] of Object.entries(process))
      changed['environments'][name].services = services;
    changed['steps'].find((candidate: { restart?: string[] }) =>
      candidate.restart?.includes('proxy'),
    ).restart = ['web'];
    expect(parsePlan(JSON.stringify(changed), 'soakgate.yaml')).toMatchObject({ plan: { service: 'tg' } });
  });

  test('names what the release has', () => {
    const pending = plan['migrations'].django.pending as string[];
    const there = ['characters', 'game'].flatMap((app) =>
      readdirSync(migrations(app))
        .filter((file) => /^\d{4}_/.test(file))
        .map((file) => `${app}.${file.replace('.py', '')}`),
    );
    expect(pending).toEqual(there.sort());
    expect(parseFlows(read(`releases/v-next/${step('flows').flows}`))).toHaveProperty('two-spend-at-once');
    for (const fallback of ['drop-constraints', 'relax-age']) {
      const name = String(plan['fallbacks'][fallback].forward).replace('characters.', '');
      expect(existsSync(join(root, `releases/v-next/characters/forward/${name}.py`))).toBe(true);
      expect(existsSync(join(migrations('characters'), `${name}.py`))).toBe(false);
    }
    for (const command of plan['steps'].flatMap((entry: any) =>
      [entry.data?.check, entry.data?.fix, entry.check].filter((c: any) => c?.command),
    ))
      if (command.command[1] === 'manage.py')
        expect(
          existsSync(join(root, `releases/v-next/characters/management/commands/${command.command[2]}.py`)),
        ).toBe(true);
  });
});
