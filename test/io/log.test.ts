// One entry of the log, as a program reads it and as a person does.
import { expect, test } from 'vitest';
import { levelOf } from '../../src/io/log-level.ts';
import { errorFields, readableLine } from '../../src/io/log.ts';
import { run } from '../support/programs.ts';

/** What a process of its own writes on stderr. */
async function written(program: string): Promise<readonly Record<string, unknown>[]> {
  const script =
    `import { openLog } from ${JSON.stringify(new URL('../../src/io/log.ts', import.meta.url).href)}; ` +
    `${program}`;
  const { exitCode, stderr } = await run(process.execPath, ['--input-type=module', '-e', script]);
  expect(exitCode, stderr).toBe(0);
  return stderr
    .split('\n')
    .flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Record<string, unknown>]));
}

test(
  'an entry is one JSON line with the names of its process, its own names first; entries below the ' +
    'level are left out',
  async () => {
    const entries = await written(`
    const log = openLog({ level: 'warn', fields: { process: 'server', environment: 'none' } });
    log.info('not shown'); log.warn('first'); log.error('second\\nline', { environment: 'staging', attempt: 2 });`);
    expect(entries).toEqual([
      {
        level: 'warn',
        time: expect.any(String),
        pid: expect.any(Number),
        process: 'server',
        environment: 'none',
        msg: 'first',
      },
      {
        level: 'error',
        time: expect.any(String),
        pid: expect.any(Number),
        process: 'server',
        environment: 'staging',
        attempt: 2,
        msg: 'second\nline',
      },
    ]);
    expect(new Date(entries[0]!['time'] as string).toISOString()).toBe(entries[0]!['time']);
  },
);

test(
  'secrets are hidden in the text and in every field, and an entry stays an entry when a secret is a ' +
    'word of it',
  async () => {
    const [entry] = await written(`
    const log = openLog({ level: 'info' }); log.hide(['level', 'sesame']);
    log.info('open sesame, postgres://ann:pass@host/db', { error: 'sesame', deep: { list: ['level'] }, token: 'abc' });`);
    expect(entry).toMatchObject({
      level: 'info',
      msg: 'open •••, postgres://ann:•••@host/db',
      error: '•••',
      deep: { list: ['•••'] },
      token: '•••',
    });
  },
);

test('for a person: time, level, place and text; at debug what else is known, and the stack', () => {
  const entry = {
    level: 'warn',
    time: new Date(2026, 0, 2, 20, 14, 3).toISOString(),
    msg: 'migrate failed: no lock',
    pid: 1,
    process: 'worker',
  };
  const named = {
    ...entry,
    deployment: 'orders-1',
    environment: 'staging',
    step: 'migrate',
    attempt: 2,
    ms: 12,
    stack: 'Error: no lock\n    at x',
  };
  expect(readableLine(entry, 'info')).toBe('20:14:03 warn  migrate failed: no lock\n');
  expect(readableLine(named, 'info')).toBe(
    '20:14:03 warn  orders-1 staging migrate (attempt 2): migrate failed: no lock\n',
  );
  expect(readableLine({ ...named, attempt: 1 }, 'debug')).toBe(
    '20:14:03 warn  orders-1 staging migrate: migrate failed: no lock ms=12\nError: no lock\n    at x\n',
  );
});

test('a failure has its code; its stack only at debug', () => {
  const failure = Object.assign(new Error('MIGRATION_FAILED: no lock'), { type: 'MIGRATION_FAILED' });
  expect(errorFields(failure, 'info')).toEqual({
    error: 'MIGRATION_FAILED: no lock',
    code: 'MIGRATION_FAILED',
  });
  expect(errorFields(failure, 'debug')).toMatchObject({ stack: expect.stringContaining('log.test.ts') });
  expect(errorFields('gone', 'info')).toEqual({ error: 'gone' });
});

test('a level that nobody knows is info', () => {
  expect([levelOf('debug'), levelOf('loud'), levelOf(undefined)]).toEqual(['debug', 'info', 'info']);
});
