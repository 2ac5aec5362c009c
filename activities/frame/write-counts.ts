// Who wrote to which table: the server's counters, less what our own steps wrote. A table that no foreign
// session wrote to is compared exactly after a rollback.
import { ifAbsent } from '../../src/io/files.ts';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withSession } from '../../src/io/postgres.ts';
import { readWrites } from '../../src/io/snapshot.ts';
import type { Work } from './step-context.ts';

type Counts = Readonly<Record<string, number>>;
const AT_BACKUP = 'writes-at-backup.json';
const AFTER_RESTORE = 'writes-after-restore.json';

/** Called when the backup begins: everything is counted from here. */
export async function noteWritesAtBackup(work: Work): Promise<void> {
  await work.world.permitStore.noteOnce(work.rollout, AT_BACKUP, JSON.stringify(await count(work)));
}

/**
 * Called when a restored database has taken the target's name: its counters are new, and what was written
 * before is with the old one.
 */
export async function noteWritesAfterRestore(work: Work): Promise<void> {
  const own = await ownWrites(work);
  const now = await count(work);
  // Once: what others write after the swap is theirs, however often the restore is asked again.
  const from = await work.world.permitStore.noteOnce(
    work.rollout,
    AFTER_RESTORE,
    JSON.stringify(own.reduce((differences, counts) => subtract(differences, counts), now)),
  );
  await work.world.permitStore.noteAgain(work.rollout, AT_BACKUP, from);
}

/** Runs a writing step and notes what it wrote itself. */
export async function countOwnWrites<T>(work: Work, act: () => Promise<T>): Promise<T> {
  const before = await count(work);
  try {
    return await act();
  } finally {
    const own = subtract(await count(work).catch(() => before), before);
    await work.world.permitStore.noteAgain(
      work.rollout,
      `own-writes/${work.step.index}-${work.tag.split(':').at(-1)}.json`,
      JSON.stringify(own),
    );
  }
}

/**
 * Writes by others since the backup, table by table; asked of the target, or of what it was before a restore.
 */
export async function foreignWrites(work: Work, url = work.url): Promise<Counts> {
  const start = await work.world.permitStore.note(work.rollout, AT_BACKUP);
  const all = subtract(await count(work, url), start === undefined ? {} : (JSON.parse(start) as Counts));
  return (await ownWrites(work)).reduce((differences, counts) => subtract(differences, counts), all);
}

async function ownWrites(work: Work): Promise<readonly Counts[]> {
  const folder = join(work.world.permitStore.processNotes(work.rollout), '..', 'own-writes');
  const names = await readdir(folder).catch(ifAbsent([] as string[]));
  return Promise.all(
    names.map(async (name) => JSON.parse(await readFile(join(folder, name), 'utf8')) as Counts),
  );
}

function count(work: Work, url = work.url): Promise<Counts> {
  return withSession(url, work.tag, readWrites);
}

function subtract(from: Counts, counts: Counts): Counts {
  return Object.fromEntries(Object.entries(from).map(([table, n]) => [table, n - (counts[table] ?? 0)]));
}
