// The backup on a real server: exact under live writes, and no damaged dump is ever taken for a proof (rule
// 2).
import { appendFile, copyFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  BACKUP,
  type Bench,
  failureOf,
  type Hands,
  MIGRATE,
  permit,
  query,
  raiseBench,
  withPrograms,
} from '../support/hands.ts';
import { judge, unequal } from '../support/judge.ts';
import { ranNow } from '../support/programs.ts';
import { ifAbsent } from '../../src/io/files.ts';

let bench: Bench;
beforeAll(async () => void (bench = await raiseBench()));
afterAll(() => bench?.stop());

const open = () => permit(bench, { steps: BACKUP + MIGRATE });
const snapshot = (hands: Hands) => judge(hands.url);
const soakgateSchema = (hands: Hands) =>
  hands.sql<{ n: string }>("select count(*) as n from pg_namespace where nspname = 'soakgate'");

test('is exact while others write', async () => {
  const hands = await open();
  const writer = { on: true, written: 0 };
  const writing = (async () => {
    while (writer.on) {
      await query(
        hands.url,
        `insert into orders (customer_id, status, total_cents)
          values (1, 'paid', 1); update customers set name = name || 'x' where id = 1`,
      );
      writer.written += 1;
    }
  })();
  // The dump begins when many rows have been written since the snapshot was taken.
  const receipt = await withPrograms(bench, { pg_dump: 'sleep 0.5; exec $TRUE "$@"' }, () =>
    hands.run('backup'),
  );
  writer.on = false;
  await writing;
  expect(writer.written).toBeGreaterThan(10);
  expect(receipt).toMatchObject({ verdict: 'pass', figures: { tables: 6 } });
  expect(receipt.artifacts?.[0]?.sha256).toMatch(/^[0-9a-f]{64}$/u);
});

test('a dump that cannot be noted fails by its code, and nothing of it is left', async () => {
  const hands = await open();
  const notes = hands.world.permitStore.processNotes(hands.rollout);
  await rm(notes, { recursive: true, force: true });
  // As on a full disk: nothing can be written there.
  await writeFile(notes, '');
  const strays: unknown[] = [];
  const stray = (error: unknown) => void strays.push(error);
  process.on('unhandledRejection', stray);
  const failure = await withPrograms(bench, { pg_dump: 'sleep 3; exec $TRUE "$@"' }, () =>
    failureOf(hands.run('backup')),
  ).finally(() => process.off('unhandledRejection', stray));
  expect(failure).toMatchObject({ code: 'STEP_CRASHED' });
  expect(strays).toEqual([]);
  const all = (folder: string) => readdir(folder, { recursive: true }).catch(ifAbsent([] as string[]));
  const { artifacts, permitStore } = hands.world.settings;
  const own = await all(join(permitStore, 'rollouts', hands.rollout.hash, 'working'));
  const kept = [...(await all(join(artifacts, 'rollouts'))), ...own];
  expect(kept.filter((name) => name.includes('dump'))).toEqual([]);
});

test(
  'a folder dumped and restored by two sessions is proven alike; a file of it that changes is no ' +
    'longer what was proven',
  async () => {
    const hands = await permit(bench, {
      steps: BACKUP.replace('format: custom', 'format: directory, jobs: 2') + MIGRATE,
    });
    const before = await snapshot(hands);
    const receipt = await hands.run('backup');
    expect(receipt).toMatchObject({ verdict: 'pass', figures: { tables: 6 } });
    const dump = await hands.world.artifacts.path(receipt.artifacts![0]!.name);
    expect(await hands.log('backup')).toContain('--jobs=2');
    expect(unequal(before, await snapshot(hands))).toEqual([]);
    // Asked again it is believed, and not taken again.
    expect(await hands.run('backup', { attempt: 2 })).toMatchObject({
      artifacts: [{ sha256: receipt.artifacts![0]!.sha256 }],
    });
    const [data] = (await readdir(dump)).filter((name) => name.endsWith('.dat.gz'));
    await appendFile(join(dump, data!), 'x');
    expect(await failureOf(hands.run('backup', { attempt: 3 }))).toMatchObject({ code: 'BACKUP_FAILED' });
  },
);

describe('a dump that is not what it should be', () => {
  const damages: Record<string, string> = {
    'T-03: cut in half': 'truncate -s $(( $(stat -c %s "$FILE") / 2 )) "$FILE"',
    'without its last bytes': 'truncate -s -40 "$FILE"',
    'zeros in its data':
      'dd if=/dev/zero of="$FILE" bs=1 seek=$(( $(stat -c %s "$FILE") - 600 )) count=64 conv=notrunc ' +
      'status=none',
    'T-07: empty, though pg_dump said 0': ': > "$FILE"',
  };
  test.each(Object.entries(damages))(
    '%s: refused, and nothing in the target has changed',
    async (_name, damage) => {
      const hands = await open();
      const before = await snapshot(hands);
      const script =
        'case "$*" in *--schema-only*) exec $TRUE "$@";; esac; for A in "$@"; do FILE="$LAST"; LAST="$A"; done; FILE="$LAST"; $TRUE "$@" || exit $?; ' +
        `${damage}; exit 0`;
      const failure = await withPrograms(bench, { pg_dump: script }, () => failureOf(hands.run('backup')));
      expect(failure.code).toMatch(/^(RESTORE_FAILED|BACKUP_FAILED)$/u);
      expect(unequal(before, await snapshot(hands))).toEqual([]);
      expect(await soakgateSchema(hands)).toEqual([{ n: '0' }]);
      // Without a proof nothing may follow.
      expect(await failureOf(hands.run('migrate'))).toMatchObject({ code: 'BACKUP_MISSING' });
    },
  );

  test('a restore that loses rows with exit code 0 is found by content', async () => {
    const hands = await open();
    const script =
      `$TRUE "$@" || exit $?; ${join(bench.postgres.bin, 'psql')} -Xqc "delete from order_items where ` +
      'order_id = 7"';
    expect(
      await withPrograms(bench, { pg_restore: script }, () => failureOf(hands.run('backup'))),
    ).toMatchObject({
      code: 'RESTORE_FAILED',
      details: expect.stringContaining('public.order_items differs: was 50 rows'),
    });
  });

  test('T-01: a plain dump is no dump that can be restored, whatever a list of it through a pipe ends with', async () => {
    const hands = await open();
    const plain =
      'ARGS=("${@/--format=custom/--format=plain}"); exec $TRUE "${ARGS[@]/--compress=*/--compress=0}"';
    const failure = await withPrograms(bench, { pg_dump: plain }, () => failureOf(hands.run('backup')));
    expect(failure).toMatchObject({
      code: 'RESTORE_FAILED',
      details: expect.stringContaining('text format dump'),
    });
    expect(await failureOf(hands.run('migrate'))).toMatchObject({ code: 'BACKUP_MISSING' });
  });

  test('T-07: pg_dump that fails says why, and leaves nothing that could be taken for a dump', async () => {
    const hands = await open();
    const half =
      'for FILE in "$@"; do :; done; echo half > "$FILE"; echo "no space left on device" >&2; exit 3';
    const failure = await withPrograms(bench, { pg_dump: half }, () => failureOf(hands.run('backup')));
    const folder = await hands.world.artifacts.path(`rollouts/${hands.rollout.hash}`);
    expect((await readdir(folder).catch(() => [])).filter((name) => name.includes('dump'))).toEqual([]);
    expect(failure).toMatchObject({
      code: 'BACKUP_FAILED',
      message: expect.stringContaining('ended with 3'),
      details: expect.stringContaining('no space left'),
    });
  });
});

test('a second attempt finds the proof of the first; a dump that changed on disk since is refused', async () => {
  const hands = await open();
  const first = await hands.run('backup');
  const second = await hands.run('backup', { attempt: 2 });
  expect(second.artifacts).toEqual(first.artifacts);
  expect(second.summary).toContain('proven by an earlier attempt');
  await appendFile(await hands.world.artifacts.path(first.artifacts![0]!.name), 'x');
  expect(await failureOf(hands.run('backup', { attempt: 3 }))).toMatchObject({
    code: 'BACKUP_FAILED',
    message: expect.stringContaining('no longer what it was'),
  });
});

test('T-02: an older dump in its place, whole as it is, is not the one that was proven', async () => {
  const older = await open();
  const [old] = (await older.run('backup')).artifacts!;
  // Two dumps of one unchanged database within a second are equal, byte for byte.
  await older.sql("update customers set name = name || 'x' where id = 1");
  const hands = await permit(bench, { steps: BACKUP + MIGRATE, url: older.url });
  const [own] = (await hands.run('backup')).artifacts!;
  await copyFile(await older.world.artifacts.path(old!.name), await hands.world.artifacts.path(own!.name));
  expect(await failureOf(hands.run('backup', { attempt: 2 }))).toMatchObject({
    code: 'BACKUP_FAILED',
    message: expect.stringContaining('no longer what it was'),
  });
});

test(
  'T-75: two dumps of an unchanged database differ in their bytes; schema and content, which are ' +
    'compared, do not',
  async () => {
    const hands = await open();
    const dumped = () => ranNow(join(bench.postgres.bin, 'pg_dump'), ['--dbname', hands.url]);
    const [first, before] = [dumped(), await snapshot(hands)];
    const [second, after] = [dumped(), await snapshot(hands)];
    expect(second).not.toBe(first);
    expect(unequal(before, after)).toEqual([]);
  },
);

test('a source with an orphan behind a valid foreign key does not restore, and it says so', async () => {
  const hands = await open();
  await hands.sql(
    "set session_replication_role = replica; insert into order_items values (999, 'orphan', 1, 1)",
  );
  expect(await failureOf(hands.run('backup'))).toMatchObject({
    code: 'RESTORE_FAILED',
    details: expect.stringContaining('order_items_order_id_fkey'),
  });
});
