// Numbered SQL files with down files, each in one transaction together with its row in the ledger.
import { ifAbsent } from '../../src/io/files.ts';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '../../src/core/failures.ts';
import { quoteTable, quoteText, type Session, withSession } from '../../src/io/postgres.ts';
import type { Work } from '../frame/step-context.ts';
import { type Migrator, optionsFor } from './migrator.ts';
import { applyFile, refuseTransactions } from './sql-file.ts';

export const sql: Migrator = {
  runsFiles: true,
  status: async (work, url) => {
    const applied = await withSession(url, work.tag, (session) => readLedger(session, ledgerOf(work)));
    const pending = (await listFiles(work)).filter((name) => !applied.includes(name));
    for (const name of pending)
      for (const file of [upFile(work, name), downFile(work, name)])
        refuseTransactions(name, await readFile(file, 'utf8').catch(ifAbsent('')));
    return { applied, pending };
  },
  preview: async (work, names) =>
    Promise.all(
      names.map(async (name) => ({
        name,
        up: await readFile(upFile(work, name), 'utf8'),
        down: await readFile(downFile(work, name), 'utf8').catch(ifAbsent(null)),
      })),
    ),
  upgrade: async (work, url, names, options) => {
    const lines: string[] = [];
    for (const name of names) {
      if ((await isApplied(work, url, name)) === true) lines.push(`${name}: already applied`);
      else
        lines.push(
          ...(await applyFile(
            work,
            url,
            {
              name,
              file: upFile(work, name),
              stamp: `insert into ${ledger(work)} (version) values (${quoteText(name)})`,
            },
            options,
          )),
        );
    }
    return lines;
  },
  downgrade: async (work, url, names, options) => {
    const lines: string[] = [];
    for (const name of [...names].reverse()) {
      if ((await isApplied(work, url, name)) === false) lines.push(`${name}: not applied`);
      else
        lines.push(
          ...(await applyFile(
            work,
            url,
            {
              name,
              file: downFile(work, name),
              stamp: `delete from ${ledger(work)} where version = ${quoteText(name)}`,
            },
            options,
          )),
        );
    }
    return lines;
  },
  prepared: (work, name) =>
    [`${name}.sql`, `${name}.down.sql`].map((file) => ({
      from: join(folderName(work), 'forward', file),
      to: join(folderName(work), file),
    })),
  ledgers: (work) => [ledgerOf(work).includes('.') ? ledgerOf(work) : `public.${ledgerOf(work)}`],
};

const ledgerOf = (work: Work): string => optionsFor<'sql'>(work).ledger;
const ledger = (work: Work): string => quoteTable(ledgerOf(work));
const folderName = (work: Work): string => optionsFor<'sql'>(work).folder;
const folder = (work: Work): string => join(work.checkout, folderName(work));
const upFile = (work: Work, name: string): string => join(folder(work), `${name}.sql`);
const downFile = (work: Work, name: string): string => join(folder(work), `${name}.down.sql`);

async function listFiles(work: Work): Promise<readonly string[]> {
  const names = await readdir(folder(work)).catch(() =>
    fail('MIGRATION_MISMATCH', `the release has no folder ${folderName(work)}`),
  );
  const up = names.find((name) => name.endsWith('.up.sql'));
  if (up !== undefined)
    fail('MIGRATION_MISMATCH', `${folderName(work)} holds ${up}, as golang-migrate names its files`, [
      `declare them as such: migrations: { golang-migrate: { folder: ${folderName(work)}, pending: [...] } }`,
    ]);
  return names
    .filter((name) => /^\d+.*\.sql$/u.test(name) && !name.endsWith('.down.sql'))
    .map((name) => name.slice(0, -4))
    .sort();
}

async function readLedger(session: Session, table: string): Promise<readonly string[]> {
  const there = await session.query<{ ok: boolean }>('select to_regclass($1) is not null as ok', [
    quoteTable(table),
  ]);
  if (!there[0]?.ok)
    fail('MIGRATION_MISMATCH', `the database has no ledger ${table}`, [
      `create it with the app's first migration: create table ${table} (version text primary key)`,
    ]);
  return (
    await session.query<{ version: string }>(`select version from ${quoteTable(table)} order by version`)
  ).map((row) => row.version);
}

async function isApplied(work: Work, url: string, name: string): Promise<boolean> {
  return withSession(url, work.tag, async (session) =>
    (await readLedger(session, ledgerOf(work))).includes(name),
  );
}
