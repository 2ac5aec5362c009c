// What hangs is ended with all that it has started, and said.
import { expect, test } from 'vitest';
import { processStartTime } from '../../src/io/command.ts';
import { ran, ranNow, run } from './programs.ts';

test('a program that does not end is ended after its limit, with the child that holds its pipe', async () => {
  const asked = ran('sh', ['-c', 'sleep 600 & echo $! >&2; wait'], { limitMs: 300 });
  const failure = await asked.then(
    () => expect.fail('it ended'),
    (error: Error) => error,
  );
  expect(failure.message).toMatch(/^sh -c .* did not end within 0\.3 s\n\d+\n$/su);
  await expect
    .poll(() => processStartTime(Number(failure.message.trim().split('\n').at(-1))))
    .toBeUndefined();
  expect(() => ranNow('sleep', ['600'], { limitMs: 100 })).toThrow('ETIMEDOUT');
});

test("by default it has the caller's environment; what it is handed is the whole of it", async () => {
  process.env['SOAKGATE_TEST_PROXY'] = 'http://proxy.example:3128';
  expect(await ran('sh', ['-c', 'echo $SOAKGATE_TEST_PROXY'])).toBe('http://proxy.example:3128\n');
  expect(await run('sh', ['-c', 'echo ${SOAKGATE_TEST_PROXY:-none}; exit 3'], { env: {} })).toMatchObject({
    exitCode: 3,
    stdout: 'none\n',
  });
});
