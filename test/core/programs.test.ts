// A program is what the guardrails name: `./tools/psql` of a checkout and /tmp/psql are not psql.
import { describe, expect, test } from 'vitest';
import { isAllowed, takenOver } from '../../src/core/programs.ts';

const ALLOWED = ['node', 'psql', '.venv/bin/python', '/usr/local/bin/page', './tools/own'];

describe('what a plan writes', () => {
  test.each(['psql', 'node', '.venv/bin/python', './.venv/bin/python', '/usr/local/bin/page', 'tools/own'])(
    '%s is allowed',
    (program) => expect(isAllowed(program, [], ALLOWED)).toBe(true),
  );

  test.each([
    './tools/psql',
    'tools/psql',
    '/tmp/psql',
    '/usr/bin/psql',
    './psql',
    'bin/../psql',
    'x/.venv/bin/python',
    '/.venv/bin/python',
    '.venv/bin/../../tools/python',
    'python',
    'own',
    'page',
    'psql ',
    'PSQL',
    '',
  ])('%s is not', (program) => expect(isAllowed(program, [], ALLOWED)).toBe(false));

  test('a bare name may mean a program of the checkout that the guardrails name with its folder', () => {
    expect(isAllowed('python', ['.venv/bin'], ALLOWED)).toBe(true);
    expect(isAllowed('own', ['tools'], ALLOWED)).toBe(true);
    expect(isAllowed('python', ['venv/bin'], ALLOWED)).toBe(false);
  });
});

describe('what a bare name means in a checkout', () => {
  const holds =
    (...files: readonly string[]) =>
    (below: string) =>
      files.includes(below);

  test('a program of the checkout takes the name of an allowed one: found out', () => {
    expect(takenOver('psql', ['tools'], ALLOWED, holds('tools/psql'))).toBe('tools/psql');
    expect(
      takenOver('python', ['evil', '.venv/bin'], ALLOWED, holds('evil/python', '.venv/bin/python')),
    ).toBe('evil/python');
  });

  test('one that the guardrails name with its folder, one of the system, and a path are what they are', () => {
    expect(takenOver('python', ['.venv/bin'], ALLOWED, holds('.venv/bin/python'))).toBeUndefined();
    expect(takenOver('psql', ['tools'], ALLOWED, holds())).toBeUndefined();
    expect(takenOver('tools/own', ['tools'], ALLOWED, holds('tools/own'))).toBeUndefined();
  });

  test('one that only the checkout may run is not taken from the system where the checkout has none', () => {
    expect(takenOver('python', ['.venv/bin'], ALLOWED, holds())).toBe('python');
  });
});
