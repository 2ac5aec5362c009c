// Pairs of SQL files with golang-migrate's own ledger: one row, the version that was reached and whether it
// is dirty.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { count } from '../../src/core/count.ts';
import { fail } from '../../src/core/failures.ts';
import { inOrder, versionOf } from '../../src/core/plan/migrators/golang-migrate.ts';
import { readIfThere } from '../../src/io/files.ts';
import { quoteTable, withSession } from '../../src/io/postgres.ts';
import type { Work } from '../frame/step-context.ts';
import { type Migrator, optionsFor } from './migrator.ts';
import { applyFile } from './sql-file.ts';

const options = optionsFor<'golang-migrate'>;
const folder = (work: Work): string => join(work.checkout, options(work).folder);

export const golangMigrate: Migrator = {
  runsFiles: true,
  status: async (work, url) => {
    const version = await readVersion(work, url);
    const names = await listNames(work);
    const known = version === null || names.some((name) => versionOf(name) === version);
    if (!known)
      fail('MIGRATION_MISMATCH', `the database is at version ${version}, which the release does not have`);
    const isApplied = (name: string) => version !== null && versionOf(name) <= version;
    const applied = names.filter(isApplied);
    return {
      applied,
      pending: names.filter((name) => !isApplied(name)),
      // One number: a file that came later with a lower one counts as applied and is never run.
      ledgerSays: `the ledger is at version ${version ?? 'none'}, ${count(applied.length, 'file')} up to it`,
    };
  },
  preview: (work, names) =>
    Promise.all(
      names.map(async (name) => ({
        name,
        up: await readFile(join(folder(work), `${name}.up.sql`), 'utf8'),
        down: (await readIfThere(join(folder(work), `${name}.down.sql`))) ?? null,
      })),
    ),
  upgrade: async (work, url, names, settings) => {
    const lines: string[] = [];
    for (const name of inOrder(names)) {
      const version = await readVersion(work, url);
      if (version !== null && versionOf(name) <= version) lines.push(`${name}: already applied`);
      else {
        const file = join(folder(work), `${name}.up.sql`);
        const stamp = stampOf(work, versionOf(name));
        lines.push(...(await applyFile(work, url, { name, file, stamp }, settings)));
      }
    }
    return lines;
  },
  downgrade: async (work, url, names, settings) => {
    const all = await listNames(work);
    const lines: string[] = [];
    for (const name of inOrder(names).toReversed()) {
      const version = await readVersion(work, url);
      if (version === null || version < versionOf(name)) lines.push(`${name}: not applied`);
      else {
        const before = all[all.indexOf(name) - 1];
        const file = join(folder(work), `${name}.down.sql`);
        const stamp = stampOf(work, before === undefined ? null : versionOf(before));
        lines.push(...(await applyFile(work, url, { name, file, stamp }, settings)));
      }
    }
    return lines;
  },
  prepared: (work, name) =>
    [`${name}.up.sql`, `${name}.down.sql`].map((file) => ({
      from: join(options(work).folder, 'forward', file),
      to: join(options(work).folder, file),
    })),
  ledgers: (work) => {
    const { ledger } = options(work);
    return [ledger.includes('.') ? ledger : `public.${ledger}`];
  },
};

/**
 * One row, or none where nothing is applied; written in the transaction of the file itself, so it is never
 * dirty.
 */
function stampOf(work: Work, version: bigint | null): string {
  const table = quoteTable(options(work).ledger);
  const row = version === null ? '' : ` insert into ${table} (version, dirty) values (${version}, false);`;
  return `delete from ${table};${row}`;
}

async function listNames(work: Work): Promise<readonly string[]> {
  const files = await readdir(folder(work)).catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT'
      ? fail('MIGRATION_MISMATCH', `the release has no folder ${options(work).folder}`)
      : Promise.reject(error),
  );
  return inOrder(files.flatMap((file) => /^(\d+_.+)\.up\.sql$/u.exec(file)?.[1] ?? []));
}

/**
 * The version that was reached; null where nothing is applied.
 * @throws StepFailure MIGRATION_MISMATCH without a ledger, and where an earlier run stopped in the middle of
 * a file.
 */
async function readVersion(work: Work, url: string): Promise<bigint | null> {
  const { ledger } = options(work);
  const table = quoteTable(ledger);
  const rows = await withSession(url, work.tag, async (session) => {
    const there = await session.query<{ ok: boolean }>('select to_regclass($1) is not null as ok', [table]);
    return there[0]?.ok
      ? session.query<{ version: string; dirty: boolean }>(`select version, dirty from ${table}`)
      : null;
  });
  if (rows === null)
    fail('MIGRATION_MISMATCH', `the database has no ledger ${ledger}`, [
      `create it: create table ${ledger} (version bigint not null primary key, dirty boolean not null)`,
    ]);
  const [row] = rows;
  if (row?.dirty)
    fail(
      'MIGRATION_MISMATCH',
      `version ${row.version} is dirty: an earlier run stopped in the middle of it`,
      ['mend the schema by hand, then: migrate force VERSION'],
    );
  return row ? BigInt(row.version) : null;
}
