// Who wrote to which table: the server's counters, less what our own steps wrote. A table that no foreign
// session wrote to is compared exactly after a way back.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withSession } from '../src/io/postgres.ts';
import { readWrites } from '../src/io/snapshot.ts';
import type { Work } from './work.ts';

type Counts = Readonly<Record<string, number>>;
const AT_BACKUP = 'writes-at-backup.json';

/** Called when the backup begins: everything is counted from here. */
export async function noteWritesAtBackup(work: Work): Promise<void> {
  await work.world.kept.noteOnce(work.rollout, AT_BACKUP, JSON.stringify(await count(work)));
}

/** Runs a writing step and notes what it wrote itself. */
export async function countOwnWrites<T>(work: Work, act: () => Promise<T>): Promise<T> {
  const before = await count(work);
  try {
    return await act();
  } finally {
    const own = subtract(await count(work).catch(() => before), before);
    await work.world.kept.noteAgain(work.rollout, `own-writes/${work.step.index}-${work.tag.split(':').at(-1)}.json`, JSON.stringify(own));
  }
}

/** Writes by others since the backup, table by table. */
export async function foreignWrites(work: Work): Promise<Counts> {
  const start = await work.world.kept.note(work.rollout, AT_BACKUP);
  const all = subtract(await count(work), start === undefined ? {} : (JSON.parse(start) as Counts));
  const folder = join(work.world.kept.processNotes(work.rollout), '..', 'own-writes');
  const names = await readdir(folder).catch(() => [] as string[]);
  const own = await Promise.all(names.map(async (name) => JSON.parse(await readFile(join(folder, name), 'utf8')) as Counts));
  return own.reduce((left, counts) => subtract(left, counts), all);
}

function count(work: Work): Promise<Counts> {
  return withSession(work.url, work.tag, readWrites);
}

function subtract(from: Counts, counts: Counts): Counts {
  return Object.fromEntries(Object.entries(from).map(([table, n]) => [table, n - (counts[table] ?? 0)]));
}
