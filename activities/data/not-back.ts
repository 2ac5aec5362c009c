// What an undo of fixes did not leave as before: a line for each such row, kept as an artifact and, where nobody else
// writes, to be read again.
import { readFile, rm } from 'node:fs/promises';
import { appendLine } from '../../src/io/append-line.ts';
import { ifAbsent } from '../../src/io/files.ts';
import type { Session } from '../../src/io/postgres.ts';
import { placeOf, undoneName } from './before-images.ts';
import { IMAGES, OUTCOMES } from './put-back.ts';
import type { Work } from '../frame/step-context.ts';

const LINES = 1_000;

export interface NotBack {
  readonly kept: readonly string[];
  readonly waiting: readonly string[];
  readonly altered: readonly string[];
}

/** Keeps a line for each row that does not stand as before the fix; returns the first of each sort. */
export async function recordNotBack(session: Session, work: Work, limit: number): Promise<NotBack> {
  const name = undoneName(work);
  await work.world.artifacts.remove(name);
  await rm(await ownUndone(work), { force: true });
  const found: Record<keyof NotBack, string[]> = { kept: [], waiting: [], altered: [] };
  for (let last = '0'; ;) {
    const rows = await session.query<NotBackRow>(
      `select id::text, place || ' ' || key as row, outcome, altered, jsonb_build_object('table', place, 'part', part,
          'key', key, 'outcome', outcome, 'altered', altered, 'nowMd5', now)::text as line
        from ${IMAGES} left join ${OUTCOMES} using (id)
        where id > $1::bigint and (outcome is distinct from 'back' or altered is not null)
        order by id limit ${LINES}`,
      [last],
    );
    if (rows.length === 0) return found;
    last = rows.at(-1)!.id;
    const text = rows.map(({ line }) => line).join('\n');
    await appendLine(await ownUndone(work), text);
    await work.world.artifacts.append(name, text);
    for (const { row, outcome, altered } of rows) {
      const sort = outcome === 'waits' ? 'waiting' : altered !== null ? 'altered' : 'kept';
      if (found[sort].length < limit) found[sort].push(altered === null ? row : `${row} (${altered})`);
    }
  }
}

/** The same lines where nobody else writes: rows are judged by them. */
const ownUndone = ({ world, rollout, step }: Pick<Work, 'world' | 'rollout' | 'step'>): Promise<string> =>
  world.permitStore.working(rollout, `not-back-${step.index}.jsonl`);

interface NotBackRow {
  readonly id: string;
  readonly row: string;
  readonly outcome: string;
  readonly altered: string | null;
  readonly line: string;
}

/** A line of the file that `recordNotBack` keeps. */
export interface NotBackLine {
  readonly table: string;
  readonly part: string | null;
  readonly key: string;
  readonly outcome: string;
  /** Columns that a trigger changed again; null where it was not put back. */
  readonly altered: string | null;
  readonly nowMd5: string | null;
}

/** `table key` → what the undos of this rollout's fixes have left of the row. */
export async function undoneRows(work: Work): Promise<ReadonlyMap<string, NotBackLine>> {
  const found = new Map<string, NotBackLine>();
  for (const step of work.list.steps.filter(({ kind }) => kind === 'fixData')) {
    const text = await readFile(await ownUndone({ ...work, step }), 'utf8').catch(ifAbsent(''));
    for (const line of text.split('\n').filter((each) => each !== '')) {
      const row = JSON.parse(line) as NotBackLine;
      found.set(`${placeOf(row)} ${row.key}`, row);
    }
  }
  return found;
}
