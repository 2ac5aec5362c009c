// soakgate replay-check on a real server: the version that started a deployment can take it over, one that
// asks for other things first cannot.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../support/programs.ts';
import { storyPlan } from '../support/story-plan.ts';
import { devServer, openTheatre, type Theatre } from '../support/theatre.ts';

const root = join(import.meta.dirname, '../..');
let theatre: Theatre;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sg-replay-check-'));
  if (devServer) theatre = await openTheatre({ real: true });
});
afterAll(async () => {
  await theatre?.close();
  await rm(folder, { recursive: true, force: true });
});

async function listed(): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { workflowId } of theatre.env.client.workflow.list({
    query: 'ExecutionStatus = "Running"',
  }))
    found.push(workflowId);
  return found;
}

const check = (bundle: string, ...args: string[]) =>
  run(process.execPath, [join(root, 'bin/soakgate.mjs'), 'replay-check', ...args], {
    cwd: folder,
    env: { ...process.env, TEMPORAL_ADDRESS: theatre.env.address, SOAKGATE_WORKFLOW_BUNDLE: bundle },
  });

describe.runIf(devServer)('replay-check', () => {
  test(
    'what runs fits this version and not another one; when nothing runs all fits',
    { timeout: 360_000 },
    async () => {
      const own = process.env['SOAKGATE_WORKFLOW_BUNDLE']!;
      const story = await theatre.run(storyPlan({ only: 'staging' }), { stands: () => true });
      await story.stands();
      const [rollout, deployment] = [story.rolloutId('staging'), story.workflowId];
      for (const deadline = Date.now() + 40_000; (await listed()).length < 2;) {
        if (Date.now() > deadline) throw new Error('the rollout is not listed');
        await new Promise((wake) => setTimeout(wake, 50));
      }
      const fits = await check(own);
      expect(fits.exitCode).toBe(0);
      expect(fits.stdout).toContain(`${rollout}: fits\n`);
      expect(fits.stdout).toContain(`${deployment}: fits\n`);

      const changed = (await readFile(own, 'utf8')).replace('.openRollout({', '.closeRollout({');
      const other = join(folder, 'other.js');
      await writeFile(other, changed);
      const misfit = await check(other);
      expect(misfit.exitCode).toBe(1);
      expect(misfit.stdout).toContain(`${deployment}: fits\n`);
      expect(misfit.stdout).toMatch(new RegExp(`^${rollout}: does not fit: .+`, 'mu'));
      expect(misfit.stdout).toContain('this version cannot take over 1 of 2 running workflows');
      expect(misfit.stdout).toMatch(/^ {2}next: .*soakgate list/mu);
      await story.send('abort', 'dan', 'staging');
      await story.result();
      const none = await check(own, '-o', 'json');
      expect(JSON.parse(none.stdout)).toEqual({ namespace: 'default', fits: true, workflows: [] });
      expect(none.exitCode).toBe(0);
    },
  );

  test('a server that does not answer is said, and nothing is said to fit', async () => {
    const nobody = await run(process.execPath, [join(root, 'bin/soakgate.mjs'), 'replay-check'], {
      cwd: folder,
      env: { ...process.env, TEMPORAL_ADDRESS: '127.0.0.1:1' },
    });
    expect(nobody).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringContaining('does not answer'),
    });
  });
});
