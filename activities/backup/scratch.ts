// Scratch databases: made from the proven dump, under a derived name, and dropped by it.
import { rm, stat } from 'node:fs/promises';
import { fail } from '../../src/core/failures.ts';
import { compareDatabase, restoredDatabase, type RolloutRef, scratchDatabase } from '../../src/core/ids.ts';
import { backupSpecOf } from '../../src/core/backup-spec.ts';
import type { StepList } from '../../src/core/step-list.ts';
import {
  databaseName,
  quoteName,
  quoteText,
  serverMajor,
  withDatabase,
  withSession,
} from '../../src/io/postgres.ts';
import { tail } from '../../src/io/redact.ts';
import { carryGrants, carrySettings } from '../rollback/carry-over.ts';
import { onSameServer } from '../database/same-server.ts';
import { inMaintenance } from '../database/maintenance-session.ts';
import type { Work } from '../frame/step-context.ts';
import { asRestorer, type Restoring } from './restore-login.ts';

const DIRECTORY_JOBS = 2;

/**
 * Makes the database anew and restores the dump at this path into it: one that nobody else can write to.
 * @throws StepFailure RESTORE_FAILED with the tail of pg_restore.
 */
export async function recreateFrom(work: Work, database: string, file: string): Promise<void> {
  const restorer = await asRestorer(work);
  if (restorer !== work) await onSameServer(work, restorer);
  await dropScratch(work, database);
  await createLike(restorer, database, restorer !== work);
  // Several sessions cannot share one transaction; a database that was restored half is never used, it is
  // made anew.
  const how = (await stat(file)).isDirectory() ? [`--jobs=${DIRECTORY_JOBS}`] : ['--single-transaction'];
  const result = await work.runTool(
    [
      'pg_restore',
      '--exit-on-error',
      '--no-subscriptions',
      ...(backupSpecOf(work.list).owners === false ? ['--no-owner', '--no-privileges'] : []),
      ...how,
      '--no-password',
      '--dbname',
      database,
      file,
    ],
    {
      url: withDatabase(restorer.url, database),
    },
  );
  if (result.exitCode !== 0)
    fail(
      'RESTORE_FAILED',
      `pg_restore ended with ${result.exitCode ?? result.killedBy}`,
      tail(result.stderr, 4_000).split('\n'),
    );
}

/** An empty database as the target is one: encoding, locale and its provider, and the settings that apply in it. */
async function createLike(work: Work, database: string, byAnother: boolean): Promise<void> {
  await inMaintenance(work, async (session) => {
    const major = await serverMajor(session);
    const icu = major >= 17 ? 'datlocale' : major >= 15 ? 'daticulocale' : 'null';
    const [like] = await session.query<Like>(
      `select pg_encoding_to_char(encoding) as encoding, datcollate as collate, datctype as ctype,
        ${major >= 15 ? 'datlocprovider::text' : "'c'"} as provider, ${icu} as locale,
        ${major >= 16 ? 'daticurules' : 'null'} as rules, pg_get_userbyid(datdba) as owner,
        pg_has_role(datdba, '${major >= 16 ? 'SET' : 'MEMBER'}') as member, case when t.oid <> plain.dattablespace and has_tablespace_privilege(t.oid, 'CREATE')
          then t.spcname end as tablespace
        from pg_database d join pg_tablespace t on t.oid = d.dattablespace,
          (select dattablespace from pg_database where datname = 'template0') plain where datname = $1`,
      [databaseName(work.url)],
    );
    // Whoever migrates the copy is who migrates the target; schema public is the database owner's.
    const owner = byAnother || like!.member ? `owner ${quoteName(like!.owner)} ` : '';
    await session.query(
      `create database ${quoteName(database)} ${owner}template template0
        ${like!.tablespace === null ? '' : `tablespace ${quoteName(like!.tablespace)}`} ${localeOf(like!)}`,
    );
  });
  await dropUnlike(work, database);
  if (byAnother) await carryGrants(work, databaseName(work.url), database);
  await carrySettings(work, databaseName(work.url), database);
}

/** The template has a schema public, which a dump of a database without one does not drop. */
async function dropUnlike(work: Work, database: string): Promise<void> {
  const there = "select from pg_namespace where nspname = 'public'";
  const has = await withSession(
    work.url,
    work.tag,
    async (session) => (await session.query(there)).length > 0,
  );
  if (!has)
    await withSession(withDatabase(work.url, database), work.tag, (session) =>
      session.query('drop schema if exists public'),
    );
}

interface Like {
  readonly encoding: string;
  readonly collate: string;
  readonly ctype: string;
  /** c libc, i ICU, b built in. */
  readonly provider: string;
  readonly locale: string | null;
  readonly rules: string | null;
  readonly owner: string;
  /** Whether this login may act as the owner. */
  readonly member: boolean;
  /** Null: the one that new databases get, or one where this login may make nothing. */
  readonly tablespace: string | null;
}

function localeOf({ encoding, collate, ctype, provider, locale, rules }: Like): string {
  const own = `encoding ${quoteText(encoding)} lc_collate ${quoteText(collate)} lc_ctype ${quoteText(ctype)}`;
  if (provider === 'i')
    return `${own} locale_provider icu icu_locale ${quoteText(locale ?? '')}${
      rules === null ? '' : ` icu_rules ${quoteText(rules)}`
    }`;
  return provider === 'b' ? `${own} locale_provider builtin builtin_locale ${quoteText(locale ?? '')}` : own;
}

/** Drops a scratch database with whatever sessions of ours are in it. */
export async function dropScratch(work: Restoring, database: string): Promise<void> {
  await inMaintenance(await asRestorer(work), async (session) => {
    const template = 'select from pg_database where datname = $1 and datistemplate';
    // One that was to take the place of a template, which PostgreSQL does not drop.
    if ((await session.query(template, [database])).length > 0)
      await session.query(`alter database ${quoteName(database)} with is_template false`);
    await session.query(`drop database if exists ${quoteName(database)} with (force)`);
  });
}

/** Drops every scratch database of a rollout; their names are derived, so nothing has to be remembered. */
export async function dropScratches(url: string, rollout: RolloutRef, list: StepList): Promise<void> {
  const work = { url, tag: `sg:${rollout.hash}:close`, list };
  for (const database of [scratchDatabase(rollout), compareDatabase(rollout), restoredDatabase(rollout)])
    await dropScratch(work, database);
}

/** A copy of the target as it is now: rows that people mended by hand are in no backup. */
export async function copyTarget(work: Work, database: string): Promise<void> {
  const file = await work.world.permitStore.working(work.rollout, 'rehearsal.dump');
  const result = await work.runTool([
    'pg_dump',
    '--format=custom',
    '--compress=1',
    '--no-password',
    '--exclude-schema=soakgate',
    '--file',
    file,
  ]);
  if (result.exitCode !== 0)
    fail(
      'BACKUP_FAILED',
      `pg_dump for the rehearsal ended with ${result.exitCode ?? result.killedBy}`,
      tail(result.stderr, 4_000).split('\n'),
    );
  try {
    await recreateFrom(work, database, file);
  } finally {
    await rm(file, { force: true });
  }
}
