// Numbered SQL files with down files, each in one transaction together with its row in the ledger.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '../../src/core/failures.ts';
import { quoteTable, quoteText, type Session, withSession } from '../../src/io/postgres.ts';
import { tail } from '../../src/io/redact.ts';
import type { Work } from '../work.ts';
import { HELD_LOCKS_JSON, tryForLocks } from './locks.ts';
import type { HeldLock, Migrator, UpgradeOptions } from './migrator.ts';

const LOCKS_MARK = 'soakgate-locks:';
/** Every lock of a transaction is held to its end, so the last statement sees them all. */
const HELD_LOCKS = `select '${LOCKS_MARK}' || (${HELD_LOCKS_JSON})`;

export const sql: Migrator = {
  capabilities: { preview: true, downgrade: true, transaction: 'per file' },
  status: async (work, url) => {
    const applied = await withSession(url, work.tag, (session) => readLedger(session, ledgerOf(work)));
    const files = await listFiles(work);
    return { applied, pending: files.filter((name) => !applied.includes(name)) };
  },
  preview: async (work, names) =>
    Promise.all(
      names.map(async (name) => ({
        name,
        up: await readFile(upFile(work, name), 'utf8'),
        down: await readFile(downFile(work, name), 'utf8').catch(() => null),
      })),
    ),
  upgrade: async (work, url, names, options) => {
    const lines: string[] = [];
    for (const name of names) {
      if ((await isApplied(work, url, name)) === true) lines.push(`${name}: already applied`);
      else
        lines.push(
          await apply(
            work,
            url,
            name,
            upFile(work, name),
            `insert into ${ledger(work)} (version) values (${quoteText(name)})`,
            options,
          ),
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
          await apply(
            work,
            url,
            name,
            downFile(work, name),
            `delete from ${ledger(work)} where version = ${quoteText(name)}`,
            options,
          ),
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
  journals: (work) => {
    const journal = options(work)['journal'];
    return typeof journal === 'string' ? [journal] : [];
  },
};

const options = (work: Work) => work.list.migrations?.options ?? {};
const ledgerOf = (work: Work): string => String(options(work)['ledger'] ?? 'schema_migrations');
const ledger = (work: Work): string => quoteTable(ledgerOf(work));
const folderName = (work: Work): string => String(options(work)['folder'] ?? 'migrations');
const folder = (work: Work): string => join(work.checkout, folderName(work));
const upFile = (work: Work, name: string): string => join(folder(work), `${name}.sql`);
const downFile = (work: Work, name: string): string => join(folder(work), `${name}.down.sql`);

async function listFiles(work: Work): Promise<readonly string[]> {
  const names = await readdir(folder(work)).catch(() =>
    fail('MIGRATION_MISMATCH', `the release has no folder ${String(options(work)['folder'])}`),
  );
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

async function apply(
  work: Work,
  url: string,
  name: string,
  file: string,
  stamp: string,
  settings: UpgradeOptions,
): Promise<string> {
  const { tookMs, waited } = await tryForLocks(work, url, name, settings, () =>
    runFile(work, url, name, file, stamp, settings),
  );
  return `${name}: ${tookMs} ms${waited}`;
}

async function runFile(
  work: Work,
  url: string,
  name: string,
  file: string,
  stamp: string,
  { lockTimeoutMs, statementTimeoutMs, guard, onLocks }: UpgradeOptions,
): Promise<{ state: string; lines: string[] } | null> {
  const before = [
    `set local lock_timeout = ${lockTimeoutMs}`,
    `set local statement_timeout = ${statementTimeoutMs}`,
    ...(guard ? [guard] : []),
  ];
  const report = onLocks ? ['-c', HELD_LOCKS] : [];
  const argv = [
    'psql',
    '-X',
    '-q',
    '-t',
    '-A',
    '-1',
    '-v',
    'ON_ERROR_STOP=1',
    '-v',
    'VERBOSITY=verbose',
    ...before.flatMap((text) => ['-c', text]),
    '-f',
    file,
    '-c',
    stamp,
    ...report,
  ];
  const result = await work.runTool(argv, { url });
  if (result.exitCode === 0) {
    const said = result.stdout.split('\n').findLast((line) => line.startsWith(LOCKS_MARK));
    if (said) onLocks?.(name, JSON.parse(said.slice(LOCKS_MARK.length)) as HeldLock[], result.tookMs);
    return null;
  }
  const state =
    /(?:ERROR|FATAL):\s+([0-9A-Z]{5}):/u.exec(result.stderr)?.[1] ??
    (result.killedBy ? `none (ended by ${result.killedBy})` : 'unknown');
  return {
    state,
    lines: tail(result.stderr, 4_000)
      .split('\n')
      .filter((line) => line.length > 0),
  };
}
