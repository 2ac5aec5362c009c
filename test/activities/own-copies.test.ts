// Somebody who may write to the artifact store swaps what he finds there, at any moment: nothing of his is restored,
// put back or measured against. The judge reads the database alone.
import { readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { httpBaseline } from '../../activities/observe/baseline.ts';
import {
  BACKUP,
  type Bench,
  DATA,
  type Hands,
  MIGRATE,
  permit,
  PREVIEW,
  raiseBench,
} from '../support/hands.ts';
import { judge } from '../support/judge.ts';
import { ran } from '../support/programs.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await raiseBench();
});
afterAll(() => bench?.stop());

/** A dump that does something of its own wherever it is restored. */
async function evilDump(hands: Hands): Promise<string> {
  const file = join(bench.folder, `evil-${hands.rollout.hash}.dump`);
  const name = `evil_${hands.rollout.hash}`;
  await hands.sql(`create database ${name}`);
  const url = bench.postgres.url(name);
  const sql = `create function mark() returns int language plpgsql as $$ begin
    create role mark_${hands.rollout.hash}; return 1; exception when others then return 1; end $$;
    create table t (a int check (mark() = 1)); insert into t values (1)`;
  await ran(join(bench.postgres.bin, 'psql'), ['-Xq', '-d', url, '-c', sql]);
  await hands.sql(`drop role if exists mark_${hands.rollout.hash}`);
  await ran(join(bench.postgres.bin, 'pg_dump'), ['-Fc', '--file', file, '--dbname', url]);
  await hands.sql(`drop database ${name}`);
  return file;
}

/** Every file that comes to lie among the artifacts of the rollout is replaced at once, until it is stopped. */
function swapping(
  hands: Hands,
  fits: RegExp,
  content: string,
): { swapped: string[]; stop: () => Promise<void> } {
  const folder = join(hands.world.settings.artifacts, 'rollouts', hands.rollout.hash);
  const swapped: string[] = [];
  let over = false;
  const going = (async () => {
    while (!over) {
      for (const name of await readdir(folder).catch(() => [] as string[])) {
        if (!fits.test(name) || swapped.includes(name)) continue;
        swapped.push(name);
        await ran('cp', [content, join(folder, `.${name}.evil`)]).catch(() => undefined);
        await rename(join(folder, `.${name}.evil`), join(folder, name)).catch(() => undefined);
      }
      await new Promise((wake) => setTimeout(wake, 1));
    }
  })();
  return { swapped, stop: () => ((over = true), going) };
}

const marked = async (hands: Hands) =>
  (
    await hands.sql<{ rolname: string }>(
      `select rolname from pg_roles where rolname = 'mark_${hands.rollout.hash}'`,
    )
  ).length > 0;

test(
  'a dump that is swapped while it is made, proven or rehearsed is never restored',
  { timeout: 120_000 },
  async () => {
    const hands = await permit(bench, {
      steps: `${BACKUP}${PREVIEW}${DATA}${MIGRATE}`,
    });
    const evil = await evilDump(hands);
    const before = await judge(hands.url);
    const { stop } = swapping(hands, /dump/u, evil);
    for (const step of ['backup', 'preview'])
      await hands.run(step).catch((error: { code?: string }) => expect(error.code).toBe('BACKUP_FAILED'));
    await stop();
    expect(await marked(hands)).toBe(false);
    expect(await judge(hands.url)).toEqual(before);
  },
);

test(
  'images that are swapped as they are kept put nothing of their own back',
  { timeout: 120_000 },
  async () => {
    const hands = await permit(bench, { steps: `${BACKUP}${DATA}${MIGRATE}` });
    await hands.run('backup');
    const before = await judge(hands.url);
    const forged = join(bench.folder, `images-${hands.rollout.hash}.jsonl`);
    await writeFile(forged, '');
    const { stop } = swapping(hands, /^fix-/u, forged);
    await hands.run('data: fix').catch(() => undefined);
    const fixed = await judge(hands.url);
    const failed = await hands.undo('data: fix').then(
      () => null,
      (error: unknown) => String(error),
    );
    await stop();
    // Put back, or refused and left as the fix left it: nothing else.
    if (failed === null) expect(await judge(hands.url)).toEqual(before);
    else {
      expect(failed).toContain('before-images');
      expect(await judge(hands.url)).toEqual(fixed);
    }
  },
);

test('a baseline is what this worker has measured', async () => {
  const hands = await permit(bench, { steps: `${BACKUP}${DATA}${MIGRATE}` });
  await hands.world.permitStore.noteAgain(
    hands.rollout,
    'baseline.json',
    JSON.stringify({ http: { '/': { mean: 5, p95: 6, failed: 0 } }, writes: {} }),
  );
  await hands.world.artifacts.put(
    `rollouts/${hands.rollout.hash}/baseline.json`,
    JSON.stringify({ http: { '/': { mean: 100_000, p95: 6, failed: 0 } }, writes: {} }),
  );
  expect(await httpBaseline({ world: hands.world, rollout: hands.rollout })).toMatchObject({
    '/': { mean: 5 },
  });
});
