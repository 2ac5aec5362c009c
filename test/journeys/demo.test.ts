// The demo's journey and its five breaks, through the same command as in the README, on real parts.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { verifyEvidence } from '../../src/io/evidence.ts';
import { readTrust } from '../../src/io/trust-file.ts';
import { processesOf } from '../support/left-behind.ts';

const SOAKGATE = join(import.meta.dirname, '../../bin/soakgate.mjs');
const LONGEST_MS = 600_000;

interface Ending {
  readonly args: readonly string[];
  readonly outcome: string;
  readonly code: number;
  /** What the person must be able to read in the story. */
  readonly tells: RegExp;
}

/** The first plays as long as a person sees it; what breaks shows the same in a shorter week. */
const SHORT = ['--pace', '7d=12s'];
const outcomes: readonly Ending[] = [
  { args: [], outcome: 'completed', code: 0, tells: /production\s+✓ pass\s+open-shop/u },
  {
    args: ['--break', 'worker', ...SHORT],
    outcome: 'completed',
    code: 0,
    tells: /kill -9 of staging's worker/u,
  },
  {
    args: ['--break', 'migration', ...SHORT],
    outcome: 'rolled-back',
    code: 3,
    tells: /0003_order_totals failed with SQLSTATE 42703/u,
  },
  { args: ['--break', 'soak', ...SHORT], outcome: 'rolled-back', code: 3, tells: /site\/failures is/u },
  {
    args: ['--break', 'probe', ...SHORT],
    outcome: 'rolled-back',
    code: 3,
    tells: /order_items_qty_positive|3 of 4 expectations/u,
  },
  {
    args: ['--break', 'backup', ...SHORT],
    outcome: 'failed',
    code: 1,
    tells: /RESTORE_FAILED|BACKUP_FAILED/u,
  },
];

let scene = '';
afterEach(() => rm(scene, { recursive: true, force: true }));

describe.each(outcomes)('demo --ci $args', ({ args, outcome, code, tells }) => {
  test(
    `ends ${outcome} with ${code}, and leaves no process and no folder`,
    { timeout: LONGEST_MS },
    async () => {
      scene = await mkdtemp(join(tmpdir(), 'sgj-'));
      // PostgreSQL runs as a person of its own, who must get through.
      await chmod(scene, 0o755);
      const { exit, stdout, stderr } = await demo(args, scene);
      expect(exit, stderr.slice(-3_000)).toBe(code);
      const last = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as {
        outcome: string;
        evidence: string;
        keys: string;
        deployment: string;
        environments: unknown;
        ui: string;
        elapsedMs: number;
      };
      expect(last).toMatchObject({
        outcome,
        deployment: expect.stringContaining('orders'),
        environments: expect.any(Array),
        ui: expect.stringContaining('http://127.0.0.1'),
        elapsedMs: expect.any(Number),
      });
      expect(stderr).toMatch(tells);
      if (args.length === 0) for (const line of readmeLines()) expect(plain(stderr)).toContain(plain(line));
      const keys = await readTrust([last.keys]);
      expect(await verifyEvidence(last.evidence, keys.control!, keys)).toMatchObject({
        state: 'valid',
        problems: [],
        vouching: { faults: [] },
      });
      expect(await readFile(join(last.evidence, 'SUMMARY.md'), 'utf8')).toContain('DEMO');
      expect((await readdir(scene)).filter((name) => name !== 'soakgate-evidence')).toEqual([]);
      expect(await processesOf(scene)).toEqual([]);
    },
  );
});

/** What README shows of this demo. */
const readmeLines = (): readonly string[] =>
  readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')
    .split('$ npm run demo -- --ci\n')[1]!
    .split('\n```')[0]!
    .split('\n');

/** Without what is of one run only: numbers, names with random letters, and how many queries wait. */
const plain = (text: string): string =>
  text
    .replaceAll(/orders-demo-[0-9a-f]{4}|\b[0-9a-f]{12}\b/gu, 'NAME')
    .replaceAll(/, \d+ running quer(?:y|ies) would.*$/gmu, '')
    .replaceAll(/\d[\d.]*/gu, '0')
    .replaceAll(/ +/gu, ' ');

/** Its own TMPDIR, so that what is left can be seen. */
function demo(
  args: readonly string[],
  folder: string,
): Promise<{ exit: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [SOAKGATE, 'demo', '--ci', ...args], {
    // The first makes everything for itself, as for a person.
    env: {
      ...process.env,
      TMPDIR: folder,
      ...(args.length === 0 && { SOAKGATE_WORKFLOW_BUNDLE: '', SOAKGATE_PG_TEMPLATE: '' }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  // What it waited for is worth more than that it took too long.
  const enough = setTimeout(() => child.kill('SIGINT'), LONGEST_MS - 30_000);
  return new Promise((resolve) =>
    child.once('close', (exit) => {
      clearTimeout(enough);
      resolve({ exit, stdout, stderr });
    }),
  );
}
