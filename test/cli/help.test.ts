import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { entries } from '../../src/cli/main.ts';
import { call } from './call.ts';

const nested = ['evidence verify', 'key create', 'key show', 'worker control', 'worker environment'];

describe('help', () => {
  test('lists every command and the exit codes', async () => {
    const { code, out } = await call(['--help']);
    expect(code).toBe(0);
    for (const { name, summary } of entries) expect(out).toMatch(new RegExp(`^  ${name} +${summary}$`, 'mu'));
    expect(out).toContain('124 watch timed out');
  });

  test.concurrent.each([...entries.map(({ name }) => name), ...nested])('%s has examples', async (name) => {
    const { code, out } = await call([...name.split(' '), '--help']);
    expect(code).toBe(0);
    expect(out).toMatch(/\nExamples:\n {2}# .+\n {2}\$ /u);
  });

  test('--version prints the version of package.json, and the help names it', async () => {
    const { version } = JSON.parse(
      await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
    ) as { version: string };
    expect(await call(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
    expect((await call(['--help'])).out).toMatch(/^ {2}--version +print the version of soakgate$/mu);
  });

  test('without a command it is shown on stderr, and that is a usage error', async () => {
    const { code, out, err } = await call([]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('Usage: soakgate');
  });
});
