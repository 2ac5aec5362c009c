// golang-migrate's layout on a real server: its own ledger, forth and back, exactly once.
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Comparison } from '../../src/core/activities.ts';
import { ranNow } from '../support/programs.ts';
import {
  BACKUP,
  type Bench,
  failureOf,
  type Hands,
  MIGRATE,
  permit,
  planOf,
  PREVIEW,
  query,
  raiseBench,
} from '../support/hands.ts';

const TEMPLATE = 'golang_template';
const FILES = {
  '1_notes.up.sql': 'create table notes (id bigint primary key, text text)',
  '1_notes.down.sql': 'drop table notes',
  '2_read.up.sql': 'alter table notes add column read_at timestamptz',
  '2_read.down.sql': 'alter table notes drop column read_at',
  '10_index.up.sql': 'create index notes_read on notes (read_at)',
  '10_index.down.sql': 'drop index notes_read',
};
const plan = planOf({ steps: BACKUP + PREVIEW + MIGRATE }).replace(
  /^migrations: .*$/mu,
  'migrations: { golang-migrate: { folder: db, pending: [2_read, 10_index] } }',
);

let bench: Bench;
let repository = '';
beforeAll(async () => {
  bench = await raiseBench();
  await bench.postgres.createDatabase(TEMPLATE);
  await query(
    bench.postgres.url(TEMPLATE),
    `create table schema_migrations (version bigint not null primary key, dirty boolean not
      null);
     insert into schema_migrations values (1, false); ${FILES['1_notes.up.sql']}; insert into notes
     values (1, 'kept')`,
  );
  repository = await mkdtemp(join(bench.folder, 'golang-'));
  await mkdir(join(repository, 'db'));
  for (const [name, text] of Object.entries(FILES)) await writeFile(join(repository, 'db', name), text);
  const git = (...args: string[]) => ranNow('git', ['-C', repository, ...args]);
  git('init', '-q');
  git('add', '.');
  git('-c', 'user.name=t', '-c', 'user.email=t@example.org', 'commit', '-qm', 'v2');
  git('tag', 'v2');
});
afterAll(() => bench?.stop());

const open = (): Promise<Hands> =>
  permit(bench, { steps: '', template: TEMPLATE, app: { plan, repository, ref: 'v2' } });
const ledger = (hands: Hands) => hands.sql('select version::int, dirty from schema_migrations');

describe('golang-migrate', () => {
  test('applies what is pending in the order of the numbers, once, and takes it back', async () => {
    const hands = await open();
    expect(await hands.run('pending')).toMatchObject({ details: ['2_read', '10_index'] });
    await hands.run('backup');
    expect(await hands.run('preview')).toMatchObject({ figures: { rehearsed: 'up-down-up' } });
    expect(await hands.run('migrate')).toMatchObject({ verdict: 'pass', figures: { applied: 2 } });
    expect(await ledger(hands)).toEqual([{ version: 10, dirty: false }]);
    expect(await hands.run('migrate', { attempt: 2 })).toMatchObject({
      details: ['2_read: already applied', '10_index: already applied'],
    });
    expect(await hands.undo('migrate')).toMatchObject({ done: true });
    expect(await ledger(hands)).toEqual([{ version: 1, dirty: false }]);
    expect(
      await hands.call<Comparison>('compareRollback', { rollout: hands.rollout, ran: [] }),
    ).toMatchObject({ equal: true, differences: [] });
  });

  test.each([
    ['10_index.up.sql', 'BEGIN; create index notes_read on notes (read_at); COMMIT'],
    ['10_index.down.sql', 'drop index concurrently notes_read'],
  ])('%s: not one transaction, so it is refused, early and where it would run', async (name, text) => {
    const hands = await open();
    await hands.run('backup');
    await writeFile(join(hands.checkout, 'db', name), text);
    expect(await failureOf(hands.run('pending'))).toMatchObject({ code: 'SQL_NOT_ONE_TRANSACTION' });
    const run = name.includes('up') ? () => hands.run('migrate') : () => hands.undo('migrate');
    if (name.includes('down')) await hands.run('migrate');
    expect(await failureOf(run())).toMatchObject({ code: 'SQL_NOT_ONE_TRANSACTION' });
    expect(await ledger(hands)).toEqual([{ version: name.includes('up') ? 2 : 10, dirty: false }]);
  });

  test('a file that came late with a lower number is never called applied', async () => {
    const hands = await open();
    await hands.sql('update schema_migrations set version = 1');
    await writeFile(join(hands.checkout, 'db/0_late.up.sql'), 'create table late ()');
    expect(await hands.run('pending')).toMatchObject({
      summary: '2 pending exactly as declared, the ledger is at version 1, 2 files up to it',
    });
  });

  test('a file that fails leaves neither its work nor a dirty version behind', async () => {
    const hands = await open();
    await hands.run('backup');
    await hands.sql("insert into notes values (2, 'in the way'); create table notes_read ()");
    expect(await failureOf(hands.run('migrate'))).toMatchObject({ code: 'MIGRATION_FAILED' });
    expect(await ledger(hands)).toEqual([{ version: 2, dirty: false }]);
  });

  test.each([
    ['dirty', 'update schema_migrations set dirty = true', 'version 1 is dirty'],
    ['of another release', 'update schema_migrations set version = 7', 'at version 7'],
    ['gone', 'drop table schema_migrations', 'no ledger schema_migrations'],
  ])('a ledger that is %s is refused with what to do', async (_, sql, said) => {
    const hands = await open();
    await hands.sql(sql);
    expect(await failureOf(hands.run('pending'))).toMatchObject({
      code: 'MIGRATION_MISMATCH',
      message: expect.stringContaining(said),
    });
  });
});
