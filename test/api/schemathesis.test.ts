// The OpenAPI document as others read it: schemathesis makes requests of it, right and wrong ones, and holds each
// answer against what the document declares.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gatedPlan, type Play, raisePlay } from '../cli/play.ts';
import { pythonEnvironment, WITHOUT_PYTHON } from '../examples/validation-system/python.ts';
import { run } from '../support/programs.ts';
import { raiseServer, type Server } from './http.ts';

const ENVIRONMENT = 'staging';
const CASES = 2_000;
const LIMIT_MS = 400_000;
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_schema_conformance',
  'response_headers_conformance',
].join(',');
const python = await pythonEnvironment(join(import.meta.dirname, 'schemathesis.txt'));
/** The same requests again: SOAKGATE_SEED=… as a failure says it. */
const seed = Number(process.env['SOAKGATE_SEED'] ?? Date.now() % 2 ** 31);

/** Without a python3 that can make an environment it is skipped, and says so. */
describe.runIf(python)(python ? 'schemathesis' : WITHOUT_PYTHON, { timeout: 2 * LIMIT_MS }, () => {
  let play: Play;
  let server: Server;
  beforeAll(async () => {
    play = await raisePlay(ENVIRONMENT);
    server = await raiseServer({ TEMPORAL_ADDRESS: play.stage.server.address });
    const plan = await play.writePlan('soakgate.yaml', gatedPlan(ENVIRONMENT));
    await play.soakgate([
      'start',
      plan,
      '--as',
      'ann',
      '--repository',
      play.stage.repository,
      '--name',
      'there',
      '--pace',
      '10m=5m',
    ]);
  }, 120_000);
  afterAll(async () => {
    await server?.end();
    await Promise.all([play?.cast.control.kill(), play?.cast.worker.kill()]);
    await play?.stop();
  }, 60_000);

  /** What it says at its end, and how many requests it has made. */
  async function schemathesis(settings: string, args: readonly string[]) {
    const config = join(play.stage.folder, 'schemathesis.toml');
    await writeFile(
      config,
      `[checks]\nnot_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", "503"]\n${settings}`,
    );
    const common = [
      '--checks',
      CHECKS,
      '--seed',
      String(seed),
      '--no-color',
      '--generation-database',
      'none',
    ];
    const told = await run(
      join(python!, 'bin/python'),
      [
        '-m',
        'schemathesis.cli',
        '--config-file',
        config,
        'run',
        `${server.url}/v1/openapi.json`,
        ...common,
        ...args,
      ],
      { cwd: play.stage.folder, env: { PATH: process.env['PATH'] ?? '' }, limitMs: LIMIT_MS },
    );
    const said = `${told.stdout}${told.stderr}`;
    expect(told.exitCode, `SOAKGATE_SEED=${seed}\n${said.slice(-20_000)}`).toBe(0);
    return Number(/(\d+) generated/u.exec(said)?.[1] ?? 0);
  }

  test('finds no answer that is not declared, and no failure but 503', async () => {
    const anywhere = await schemathesis('', ['--phases', 'coverage,fuzzing', '-n', '250']);
    const there = await schemathesis(
      `[parameters]\n"path.id" = "there"\n"path.environment" = "${ENVIRONMENT}"\n`,
      ['--phases', 'fuzzing', '-n', '40'],
    );
    expect(anywhere).toBeGreaterThanOrEqual(CASES);
    expect(there).toBeGreaterThan(100);
    expect(server.log().match(/internal error[^"]*/u)?.[0]).toBe(undefined);
  });
});
