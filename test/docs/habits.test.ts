// What the pages and files of the project name exists: links, scripts, commands, versions.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { entries } from '../../src/cli/main.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const pages = globSync(['*.md', 'docs/**/*.md', '.github/**/*.md'], { cwd: ROOT }).sort();
const { version, scripts, devDependencies, files } = JSON.parse(read('package.json')) as {
  version: string;
  scripts: Record<string, string>;
  devDependencies: Record<string, string>;
  files: string[];
};
const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, found]) => found!);

/** As GitHub makes it from a heading. */
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
const anchorsOf = (page: string) => all(read(page), /^#+ (.+)$/gmu).map(anchor);

describe.each(pages)('%s', (page) => {
  const text = read(page);

  test('its links lead to files and headings that are there', () => {
    const links = all(text.replaceAll(/`[^`\n]*`/gu, ''), /\]\(([^)\s]+)\)/gu).filter(
      (link) => !/^[a-z]+:/u.test(link),
    );
    const lost = links.filter((link) => {
      const [path = '', heading] = link.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      return !existsSync(join(ROOT, file)) || (heading !== undefined && !anchorsOf(file).includes(heading));
    });
    expect(lost).toEqual([]);
  });

  test('the scripts and commands that it names exist', () => {
    const unknown = [
      ...all(text, /npm run ([\w:]+)/gu).filter((name) => !(name in scripts)),
      ...all(text, /(?:`|^(?:\$ )?)soakgate ([a-z][a-z-]+)/gmu).filter(
        (name) => !entries.some((entry) => entry.name === name),
      ),
      ...all(text, /\b((?:scripts|test|src|activities|worker|bench)\/[\w./-]+\.(?:ts|mjs))\b/gu).filter(
        (file) => !existsSync(join(ROOT, file)),
      ),
    ];
    expect(unknown).toEqual([]);
  });
});

test('CI runs the two commands of the README', () => {
  const [, commands] = /^## Two commands$.*?^```\n(.*?)^```/msu.exec(read('README.md')) ?? [];
  const { jobs } = parse(read('.github/workflows/ci.yml')) as {
    jobs: Record<string, { 'timeout-minutes'?: number; steps: { run?: string }[] }>;
  };
  const runs = Object.values(jobs).flatMap(({ steps }) =>
    steps.flatMap(({ run }) => (run === undefined ? [] : [run.replace(/ -- .*/u, '')])),
  );
  expect(runs).toEqual(expect.arrayContaining(commands!.trim().split('\n')));
  expect(Object.values(jobs).filter((job) => job['timeout-minutes'] === undefined)).toEqual([]);
  const named = runs.flatMap((line) => all(line, /npm run ([\w:]+)/gu));
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});

test('the templates of GitHub can be read', () => {
  const forms = globSync('.github/ISSUE_TEMPLATE/*.yml', { cwd: ROOT }).map(
    (path) => parse(read(path)) as Record<string, unknown>,
  );
  expect(forms.length).toBeGreaterThan(2);
  for (const form of forms)
    expect(
      'contact_links' in form || (Array.isArray(form['body']) && typeof form['description'] === 'string'),
    ).toBe(true);
});

test(
  'versions agree: the changelog has this one, .nvmrc the pinned Node, the license goes into the ' +
    'package',
  () => {
    expect(all(read('CHANGELOG.md'), /^## (\S+)/gmu)[0]).toBe(version);
    expect(read('.nvmrc').trim()).toBe(devDependencies['node']);
    expect(read('.github/workflows/ci.yml')).toContain(`node:${devDependencies['node']}-`);
    expect(read('LICENSE')).toContain('MIT License');
    expect(files).toContain('CHANGELOG.md');
  },
);

test('docs/debugging.md names what the permit store holds', () => {
  const written = globSync('{activities,src/io,worker}/**/*.ts', { cwd: ROOT }).map(read).join('\n');
  const paths = all(read('docs/debugging.md'), /^\| `([^`]+)` \|/gmu);
  expect(paths.length).toBeGreaterThan(5);
  const fixed = paths.flatMap((path) =>
    path.split('/').filter((part) => part !== '' && !/^[A-Z]/u.test(part)),
  );
  expect(fixed.filter((part) => !written.includes(`'${part}'`))).toEqual([]);
});
