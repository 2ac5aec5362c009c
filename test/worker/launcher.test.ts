// A command that is killed with -9 leaves no worker behind: real processes, started as the command starts them.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const module = (path: string) => JSON.stringify(new URL(`../../${path}`, import.meta.url).href);

test('a worker whose command was killed with -9 is told so', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sg-launcher-'));
  const worker = join(folder, 'worker.mjs');
  const said = join(folder, 'said');
  await writeFile(
    worker,
    `import { writeFileSync } from 'node:fs';
     import { whenLauncherIsGone } from ${module('worker/launcher.ts')};
     const alive = setTimeout(() => undefined, 60_000);
     whenLauncherIsGone(() => { writeFileSync(${JSON.stringify(said)}, 'gone'); clearTimeout(alive); });
     writeFileSync(${JSON.stringify(said)}, 'started');`,
  );
  const command = join(folder, 'command.mjs');
  await writeFile(
    command,
    `import { handOver } from ${module('src/cli/hand-over.ts')};
     await handOver({ leaving: null }, ${JSON.stringify(worker)}, []);`,
  );
  const child = spawn(process.execPath, [command], { stdio: 'ignore' });
  const text = () => readFile(said, 'utf8').catch(() => '');
  await expect.poll(text, { timeout: 30_000 }).toBe('started');
  await new Promise((wake) => setTimeout(wake, 1_500));
  expect(await text(), 'while the command lives nothing is said').toBe('started');
  child.kill('SIGKILL');
  await expect.poll(text, { timeout: 30_000 }).toBe('gone');
  await rm(folder, { recursive: true });
});
