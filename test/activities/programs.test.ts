// A bare name is the program of the worker's own search path, or one of the checkout that the guardrails name with its
// folder: a checkout that brings a `psql` of its own does not get it run as psql.
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BACKUP, type Bench, failureOf, MIGRATE, permit, planOf, raiseBench } from '../support/hands.ts';

let bench: Bench;
beforeAll(async () => void (bench = await raiseBench()));
afterAll(() => bench?.stop());

/** The step `ask` runs `argv`; the checkout holds tools/psql, which says that it is another. */
async function ask(argv: string, programs: readonly string[], path = 'tools') {
  const steps = `${BACKUP}${MIGRATE}  - { step: ask, check: { command: [${argv}] } }\n`;
  const plan = planOf({ steps }).replace('commands: {', `commands: { path: [${path}],`);
  return permit(bench, {
    steps,
    app: { plan, repository: await bench.repository(), ref: 'v2' },
    programs,
    edit: async (checkout) => {
      await mkdir(join(checkout, 'tools'), { recursive: true });
      await writeFile(join(checkout, 'tools/psql'), '#!/bin/sh\necho another\n');
      await chmod(join(checkout, 'tools/psql'), 0o755);
    },
  });
}

test.each(['psql, --version'])('%s of the checkout is not the one that is allowed', async (argv) => {
  const hands = await ask(argv, ['psql']);
  expect(await failureOf(hands.run('ask'))).toMatchObject({
    code: 'GUARDRAIL_NOT_MET',
    message: expect.stringContaining('psql is tools/psql in this checkout, which the guardrails'),
  });
  expect(await hands.log('ask')).not.toContain('another');
});

test('named with its folder it runs; where the checkout has none, the system’s runs', async () => {
  const named = await ask('psql, --version', ['tools/psql']);
  expect(await named.run('ask')).toMatchObject({ verdict: 'pass' });
  expect(await named.log('ask')).toContain('another');
  const elsewhere = await ask('psql, --version', ['psql'], 'scripts');
  expect(await elsewhere.run('ask')).toMatchObject({ verdict: 'pass' });
  expect(await elsewhere.log('ask')).toContain('PostgreSQL');
});

test('a program that only the checkout may bring is missed there by name', async () => {
  const hands = await ask('page, now', ['tools/page']);
  expect(await failureOf(hands.run('ask'))).toMatchObject({
    code: 'GUARDRAIL_NOT_MET',
    message: expect.stringContaining(
      'page is in none of the folders tools of this checkout, and only there it is allowed',
    ),
  });
});
