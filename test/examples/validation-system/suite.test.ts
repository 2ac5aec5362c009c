// The 89 tests that the release brings, counted from the report as Soakgate counts them.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readJunit } from '../../../src/core/junit.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { checkOut, makeRepository, python, query, type Ran, PATIENCE } from './app.ts';
import { pythonEnvironment, WITHOUT_PYTHON } from './python.ts';

const environment = await pythonEnvironment();
const SUITE = 'characters/tests/core/test_validation_constraints.py';

describe.skipIf(environment === null)(
  environment ? "the release's own tests" : WITHOUT_PYTHON,
  { timeout: PATIENCE },
  () => {
    let postgres: TestPostgres;
    let folder: string;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'tg-'));
      postgres = await startPostgres();
      const repository = await makeRepository(join(folder, 'repository'));
      await checkOut(repository, 'v-next', join(folder, 'next'));
    }, PATIENCE);
    afterAll(async () => {
      await postgres?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    const suite = async (args: readonly string[], env: Record<string, string> = {}): Promise<Ran> =>
      python(
        join(folder, 'next'),
        ['-m', 'pytest', ...args, '--junitxml=report.xml'],
        postgres.url('postgres'),
        env,
      );
    const report = () => readJunit(readFileSync(join(folder, 'next/report.xml'), 'utf8'));

    test('are 89, all pass, none is skipped, and nothing stays behind', async () => {
      const ran = await suite([SUITE]);
      expect(ran.code, ran.stdout).toBe(0);
      expect(report()).toMatchObject({ tests: 89, passed: 89, skipped: 0, failures: 0, errors: 0 });
      expect(
        await query(postgres.url('postgres'), "select datname from pg_database where datname like 'test%'"),
      ).toEqual([]);
    });

    test('ONE_BAD_TEST makes one of them fail, by name', async () => {
      const ran = await suite(
        [`${SUITE}::TestXP`, `${SUITE}::test_this_is_postgresql_and_a_database_of_its_own`],
        { ONE_BAD_TEST: '1' },
      );
      expect(ran.code).toBe(1);
      expect(report()).toMatchObject({
        tests: 4,
        passed: 3,
        failures: 1,
        failed: [expect.stringContaining('test_this_is_postgresql')],
      });
    });
  },
);
