// Django migrations by the release's own Django, on the genuine app: exactly the range, each once, halves
// named, the way down to what was recorded.
import { appendFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Comparison } from '../../src/core/activities.ts';
import { checkOut, manage, managed, query } from '../examples/validation-system/app.ts';
import { pythonEnvironment, WITHOUT_PYTHON } from '../examples/validation-system/python.ts';
import { type Characters, MIGRATIONS, type Options, raiseCharacters } from '../support/characters.ts';
import {
  BACKUP,
  type Bench,
  failureOf,
  type Hands,
  MIGRATE,
  permit,
  PREVIEW,
  raiseBench,
} from '../support/hands.ts';
import { ranNow } from '../support/programs.ts';

const PATIENCE = 240_000;
const environment = await pythonEnvironment();
let bench: Bench;
let app: Characters;
const steps = BACKUP + PREVIEW + MIGRATE.replace('give-up-after: 2s', 'give-up-after: 20s');

describe.skipIf(environment === null)(environment ? 'Django' : WITHOUT_PYTHON, { timeout: PATIENCE }, () => {
  beforeAll(async () => {
    bench = await raiseBench();
    app = await raiseCharacters(bench);
  }, PATIENCE);
  afterAll(() => bench?.stop());

  const open = async (options: Options = {}, edit?: (checkout: string) => Promise<void>): Promise<Hands> =>
    permit(bench, { ...(await app.spec(steps, options)), ...(edit && { edit }) });
  const ready = async (options: Options = {}, edit?: (checkout: string) => Promise<void>): Promise<Hands> => {
    const hands = await open(options, edit);
    await hands.run('backup');
    return hands;
  };
  const ledger = async (hands: Hands) =>
    (
      await hands.sql<{ name: string }>(
        "select app || '.' || name as name from django_migrations where app in ('characters', 'game') order by id",
      )
    ).map(({ name }) => name);
  const constraints = async (hands: Hands) =>
    (
      await hands.sql<{ name: string }>(
        "select conname as name from pg_constraint where contype = 'c' and conname like 'characters%' order by 1",
      )
    ).map(({ name }) => name);
  const compare = (hands: Hands) =>
    hands.call<Comparison>('compareRollback', { rollout: hands.rollout, ran: [] });
  const edited = (path: string, text: string) => (checkout: string) => writeFile(join(checkout, path), text);
  const migration = (app: string, after: string, operations: string, more = '') =>
    `from django.db import migrations, models\n\nclass Migration(migrations.Migration):\n    dependencies = [("${app}", "${after}")]\n${more}    operations = [${operations}]\n`;

  describe('pending', () => {
    test('exactly the six, by name', async () =>
      expect(await (await open()).run('pending')).toMatchObject({ verdict: 'pass', details: MIGRATIONS }));

    test('T-33, S0-31: a seventh is not declared: stopped before anything was written', async () =>
      expect(await failureOf((await open({ fault: 'seventh-migration' })).run('pending'))).toMatchObject({
        code: 'MIGRATION_MISMATCH',
        details: expect.stringContaining(
          'characters.0008_character_status_index is pending but not declared',
        ),
      }));

    test('S0-11, T-75: the look at the data changes nothing: two dumps are the same but for their key', async () => {
      const look = `  - { step: data, data: { check: { command: [python, manage.py, validate_data_integrity, --json] } } }\n`;
      const hands = await permit(bench, await app.spec(BACKUP + look + MIGRATE, { state: 'dirty' }));
      const dumped = () => ranNow(join(bench.postgres.bin, 'pg_dump'), ['--dbname', hands.url]);
      const withoutKey = (dump: string) => dump.replace(/^\\(un)?restrict .*$/gmu, '');
      const before = dumped();
      expect(await hands.run('data')).toMatchObject({
        verdict: 'fail',
        figures: { findings: 15, auto: 11, people: 4 },
      });
      const after = dumped();
      expect(after).not.toBe(before);
      expect(withoutKey(after)).toBe(withoutKey(before));
    });

    test('S0-24, T-71: rows of the framework as an extra beside the proven backup: loaded into an empty migrated database they are as many', async () => {
      const leave = '--exclude=contenttypes, --exclude=auth.permission';
      const extra = `  - { step: rows, run: { command: [python, manage.py, dumpdata, ${leave}, --output, rows.json], changes: [files] } }\n`;
      const hands = await permit(bench, await app.spec(BACKUP + extra + MIGRATE, { state: 'clean' }));
      await hands.run('backup');
      expect(await hands.run('rows')).toMatchObject({ verdict: 'pass' });
      await bench.postgres.createDatabase('loaded');
      const loaded = bench.postgres.url('loaded');
      await managed(hands.checkout, loaded, ['migrate', '--verbosity', '0']);
      await managed(hands.checkout, loaded, ['loaddata', 'rows.json']);
      const count = (url: string) =>
        query<{ characters: number; humans: number; scenes: number; relations: number }>(
          url,
          `select (select count(*)::int from characters_character) as characters, (select count(*)::int from characters_human) as humans,
             (select count(*)::int from game_scene) as scenes, (select count(*)::int from game_strelationship) as relations`,
        );
      expect(await count(loaded)).toEqual(await count(hands.url));
      expect((await count(loaded))[0]?.characters).toBeGreaterThan(50);
    });

    test('T-15: two last migrations of one app', async () => {
      const hands = await open(
        {},
        edited(
          'characters/migrations/0007_other.py',
          migration('characters', '0006_add_willpower_constraints', ''),
        ),
      );
      expect(await failureOf(hands.run('pending'))).toMatchObject({
        code: 'MIGRATION_MISMATCH',
        details: expect.stringContaining('0007_other'),
      });
    });

    test.each([
      [
        'their own name',
        'DATABASES["default"].setdefault("OPTIONS", {})["application_name"] = "app"',
        "its application_name is 'app', not the one that was set",
      ],
      [
        'another database',
        'DATABASES["default"]["NAME"] = "tg_dirty"',
        'it is in database tg_dirty, not in t',
      ],
      [
        'limits of their own',
        'DATABASES["default"].setdefault("OPTIONS", {})["options"] = "-c lock_timeout=0"',
        'its lock_timeout is 0 ms, not 50 ms',
      ],
    ])(
      'settings with %s: nothing is done by a session that is not the one it was given',
      async (_, line, why) => {
        const hands = await ready({}, async (checkout) =>
          appendFile(join(checkout, 'tg/settings.py'), `\n${line}\n`),
        );
        expect(await failureOf(hands.run('migrate'))).toMatchObject({
          code: 'SESSION_UNKNOWN',
          details: expect.stringContaining(why),
        });
        expect(await constraints(hands)).toEqual([]);
      },
    );
  });

  describe('preview', () => {
    test('SQL of exactly the range, both ways; rehearsed up, down and up on the copy; the locks named', async () => {
      const hands = await ready();
      const receipt = await hands.run('preview');
      expect(receipt).toMatchObject({
        verdict: 'pass',
        figures: { migrations: 6, rehearsed: 'up-down-up', violating: 0 },
      });
      const read = (name: string) =>
        hands.world.artifacts.read(`evidence/${hands.rollout.deployment}/baseline/here/preview/${name}`);
      const text = await read(`${MIGRATIONS[0]}.sql`);
      expect(text).toMatch(/ADD CONSTRAINT "characters_character_xp_non_negative" CHECK/u);
      expect(await read(`${MIGRATIONS[0]}.down.sql`)).toMatch(
        /DROP CONSTRAINT "characters_character_xp_non_negative"/u,
      );
      expect(text).not.toContain('CREATE TABLE');
      expect(receipt.details).toContainEqual(
        expect.stringMatching(/^locks public\.characters_human in AccessExclusiveLock/u),
      );
    });

    test('rows that would violate are counted, constraint by constraint', async () => {
      const hands = await ready({ state: 'dirty' });
      const receipt = await hands.run('preview');
      expect(receipt.verdict).toBe('fail');
      expect(receipt.details).toEqual(
        expect.arrayContaining([
          expect.stringMatching(/^would violate characters_character_xp_non_negative on .*: 2 rows/u),
          expect.stringMatching(/^would violate characters_human_strength_range on .*: 1 row/u),
        ]),
      );
    });

    test.each([
      ['an operation that cannot be reversed', 'migrations.RunSQL("select 1")', 'has no down migration'],
      ['T-51: an empty shell', '', 'is an empty shell: it would be stamped and change nothing'],
    ])('%s is named before anything is written', async (_, operations, why) => {
      const name = 'characters.0008_odd';
      const hands = await ready(
        { pending: [...MIGRATIONS, name] },
        edited(
          'characters/migrations/0008_odd.py',
          migration('characters', '0007_add_age_constraints', operations),
        ),
      );
      const receipt = await hands.run('preview');
      expect(receipt.verdict).toBe('fail');
      expect(receipt.details).toContainEqual(`${name} ${why}`);
      expect(await ledger(hands)).not.toContain(name);
    });

    test('a way down that leaves a constraint is found by the rehearsal', async () => {
      const hands = await ready({ fault: 'down-leaves-a-constraint' });
      const receipt = await hands.run('preview');
      expect(receipt).toMatchObject({ verdict: 'fail' });
      expect(receipt.details).toContainEqual(
        expect.stringMatching(
          /the down migration does not restore: constraint .*xp_non_negative was left behind/u,
        ),
      );
    });

    test("field facts 7: a reporting view that Django's CASCADE would take along is named first", async () => {
      const drop = migration(
        'characters',
        '0007_add_age_constraints',
        'migrations.RemoveField("human", "apparent_age")',
      );
      const name = 'characters.0008_drop';
      const hands = await ready(
        { pending: [...MIGRATIONS, name] },
        edited('characters/migrations/0008_drop.py', drop),
      );
      await hands.sql('create view ages as select apparent_age from characters_human');
      const receipt = await hands.run('preview');
      expect(receipt.details?.[0]).toBe('view public.ages depends on what is changed and would vanish');
    });
  });

  describe('migrate', () => {
    test('each once, however often it is tried; back to exactly what was recorded', async () => {
      const hands = await ready();
      await hands.run('preview');
      const before = await ledger(hands);
      expect(await hands.run('migrate')).toMatchObject({ verdict: 'pass', figures: { applied: 6 } });
      expect(await ledger(hands)).toEqual([...before, ...MIGRATIONS]);
      expect(await hands.run('migrate', { attempt: 2 })).toMatchObject({
        details: MIGRATIONS.map((name) => `${name}: already applied`),
      });
      expect(await constraints(hands)).toHaveLength(21);
      expect(await hands.undo('migrate')).toMatchObject({ done: true });
      expect(await ledger(hands)).toEqual(before);
      expect(await constraints(hands)).toEqual([]);
      expect(await compare(hands)).toMatchObject({ equal: true, differences: [] });
    });

    test('S0-73, T-47: one that fails is named with SQLSTATE and constraint; those before it stay, and T-10: the way down takes back only these', async () => {
      const hands = await ready({ state: 'decided' });
      await hands.sql('update characters_character set xp = 0 where xp < 0');
      const failure = await failureOf(hands.run('migrate'));
      expect(failure).toMatchObject({
        code: 'MIGRATION_FAILED',
        message: expect.stringContaining(
          'characters.0004_add_attribute_constraints failed with SQLSTATE 23514',
        ),
      });
      expect(failure.details).toMatch(/constraint characters_human_\w+_range on characters_human/u);
      expect((await ledger(hands)).at(-1)).toBe(MIGRATIONS[0]);
      expect(await hands.undo('migrate')).toMatchObject({ done: true });
      expect(await ledger(hands)).not.toContain(MIGRATIONS[0]);
    });

    test('S0-73: once the rows are fixed, the next try applies all six', async () => {
      const first = await ready({ state: 'decided' });
      await first.sql('update characters_character set xp = 0 where xp < 0');
      expect(await failureOf(first.run('migrate'))).toMatchObject({ code: 'MIGRATION_FAILED' });
      await first.undo('migrate');
      await first.call('closeRollout', { rollout: first.rollout, outcome: 'restored' });
      const manage = (word: string) => `{ command: [python, manage.py, validate_data_integrity, ${word}] }`;
      const data = `  - { step: data, data: { check: ${manage('--json')}, fix: ${manage('--fix')} } }\n`;
      const next = await permit(bench, { ...(await app.spec(BACKUP + data + MIGRATE)), url: first.url });
      expect(await next.run('pending')).toMatchObject({ verdict: 'pass', details: MIGRATIONS });
      await next.run('backup');
      expect(await next.run('data: fix')).toMatchObject({ verdict: 'pass' });
      expect(await next.run('data: again')).toMatchObject({ verdict: 'pass', summary: 'no findings' });
      expect(await next.run('migrate')).toMatchObject({ verdict: 'pass', figures: { applied: 6 } });
    });

    test('T-36: the old code takes nothing back and ends with 0; the way down is walked by the new code, and the catalog shows it', async () => {
      const hands = await ready();
      await hands.run('migrate');
      const old = await checkOut(
        { path: (await app.spec('')).app!.repository } as never,
        'v-prev',
        join(bench.folder, 'old-code'),
      );
      expect(await manage(old, hands.url, ['migrate', 'characters', '0002_xp_spends'])).toMatchObject({
        code: 0,
      });
      expect(await constraints(hands)).toHaveLength(21);
      // The old code serves again; what is walked down is the release all the same.
      await rm(join(hands.root, 'current'), { force: true });
      await symlink(old, join(hands.root, 'current'));
      expect(await hands.undo('migrate')).toMatchObject({ done: true });
      expect(await constraints(hands)).toEqual([]);
      expect(await ledger(hands)).not.toContain(MIGRATIONS[0]);
    });

    /** Ready, and a report reads the table that the last of the six changes. */
    const lastIsHeld = async () => {
      const hands = await ready();
      const blocker = new pg.Client({ connectionString: hands.url, application_name: 'nightly-report' });
      await blocker.connect();
      await blocker.query('begin; select count(*) from game_strelationship');
      return { hands, blocker };
    };

    test('a lock that is not given: short tries of that one alone, the blocker named, and through once it is free', async () => {
      const { hands, blocker } = await lastIsHeld();
      const named = Promise.withResolvers<void>();
      const listen = (text: unknown) =>
        String(text).includes('waiting for nightly-report') && named.resolve();
      const migrating = hands.run('migrate', {
        during: (environment) => environment.on('heartbeat', listen),
      });
      // Those before it are in force while it waits, each in its own transaction.
      await expect.poll(async () => (await ledger(hands)).at(-1), { timeout: 30_000 }).toBe(MIGRATIONS[4]);
      await named.promise;
      await blocker.end();
      const { details } = await migrating;
      expect(details?.slice(0, 5)).toEqual(
        MIGRATIONS.slice(0, 5).map((name) => expect.stringMatching(new RegExp(`^${name}: \\d+ ms$`, 'u'))),
      );
      expect(details?.slice(5)).toEqual([
        expect.stringMatching(
          /^game\.0003_add_st_relationship_constraint: .* at try \d+; waited for nightly-report/u,
        ),
        expect.stringContaining('not compared with a rehearsal'),
      ]);
      expect(await ledger(hands)).toHaveLength(new Set(await ledger(hands)).size);
    });

    test('a lock that is free before the next process asks for it: the try that failed is told all the same', async () => {
      const { hands, blocker } = await lastIsHeld();
      const earlier = new pg.Client({ connectionString: hands.url, application_name: 'import' });
      await earlier.connect();
      await earlier.query('begin; select count(*) from characters_character');
      const waits = async () =>
        (
          await blocker.query(
            "select 1 from pg_locks where not granted and relation = 'game_strelationship'::regclass",
          )
        ).rows.length > 0;
      const listen = (text: unknown) => void (String(text).includes('waiting for import') && earlier.end());
      const migrating = hands.run('migrate', {
        during: (environment) => environment.on('heartbeat', listen),
      });
      while (!(await waits()));
      while (await waits());
      await blocker.end();
      const { details } = await migrating;
      expect(details?.at(-2)).toMatch(
        /^game\.0003_\w+: \d+ ms at try \d+; waited for (?:nightly-report|a lock)/u,
      );
      // Each is told of its own: neither of whom the other waited for.
      expect(details?.[0]).toMatch(/ at try \d+; waited for import/u);
      expect([details?.[0]?.includes('nightly-report'), details?.at(-1)?.includes('import')]).toEqual([
        false,
        false,
      ]);
    });

    test('T-32, field facts 6: what it makes is there, the ledger does not have it: half applied, and said so', async () => {
      const hands = await ready();
      await hands.sql(
        'alter table characters_character add constraint characters_character_xp_non_negative check (xp >= 0)',
      );
      const failure = await failureOf(hands.run('migrate'));
      expect(failure).toMatchObject({ code: 'MIGRATION_FAILED', message: expect.stringContaining('42710') });
      expect(failure.details).toContain('half applied?');
    });

    test('skipped but stamped: the ledger says applied, but the catalog differs', async () => {
      const hands = await ready();
      await hands.run('preview');
      const now = MIGRATIONS.map((name) => `('${name.split('.')[0]}', '${name.split('.')[1]}', now())`).join(
        ', ',
      );
      await hands.sql(`insert into django_migrations (app, name, applied) values ${now}`);
      expect(await hands.run('migrate')).toMatchObject({
        verdict: 'fail',
        summary: 'the ledger says applied, but the catalog differs',
      });
    });

    test('a ledger that does not keep what Django says it has applied is found, and not asked for ever', async () => {
      const hands = await ready({ pending: [MIGRATIONS[0]] });
      await hands.sql(`create function forget() returns trigger language plpgsql as $$ begin delete from django_migrations where id = new.id; return null; end $$;
        create trigger forget after insert on django_migrations for each row execute function forget()`);
      expect(await failureOf(hands.run('migrate'))).toMatchObject({
        code: 'MIGRATION_MISMATCH',
        message: expect.stringContaining('the ledger lacks characters.0003_add_xp_constraints'),
      });
    });

    test('one that dies without a word is named, not the first of its range', async () => {
      const name = 'characters.0008_dies';
      const dies = migration(
        'characters',
        '0007_add_age_constraints',
        'migrations.RunPython(lambda *_: __import__("os").kill(__import__("os").getpid(), 9))',
      );
      const hands = await ready(
        { pending: [...MIGRATIONS, name] },
        edited('characters/migrations/0008_dies.py', dies),
      );
      expect(await failureOf(hands.run('migrate'))).toMatchObject({
        code: 'MIGRATION_FAILED',
        message: `MIGRATION_FAILED: ${name} failed with SQLSTATE none (ended by SIGKILL)`,
      });
    });

    test("rows written in a savepoint of a migration are its own, and never told as the application's", async () => {
      const name = 'characters.0008_saves';
      const saves = `from django.db import transaction

def forward(apps, editor):
    with transaction.atomic():
        editor.connection.cursor().execute("update characters_character set name = name || ' II'")

${migration('characters', '0007_add_age_constraints', 'migrations.RunPython(forward, lambda *_: None)')}`;
      const hands = await ready(
        { pending: [...MIGRATIONS, name] },
        edited('characters/migrations/0008_saves.py', saves),
      );
      await hands.run('migrate');
      await hands.undo('migrate');
      const { equal, writtenSince, differences } = await compare(hands);
      expect(equal).toBe(false);
      expect(writtenSince.filter((line) => line.startsWith('public.characters_character '))).toEqual([]);
      expect(differences).toContainEqual(
        expect.stringMatching(
          /^public\.characters_character \d+: changed last by this rollout, and not as recorded; .*$/u,
        ),
      );
    });

    test('a later attempt fences the earlier one within its own transaction', async () => {
      const hands = await ready();
      await hands.sql(`create schema soakgate; create table soakgate.fence (rollout text primary key, deployment text not null, service text not null, environment text not null,
        holder text not null, opened timestamptz not null default now(), closed timestamptz)`);
      // Whoever raises the fence is at once overtaken by another.
      await hands.sql(`create function soakgate.overtake() returns trigger language plpgsql as $$ begin new.holder := 'another'; return new; end $$;
        create trigger overtake before insert or update on soakgate.fence for each row execute function soakgate.overtake()`);
      expect(await failureOf(hands.run('migrate'))).toMatchObject({ code: 'FENCED' });
      expect(await constraints(hands)).toEqual([]);
    });
  });

  test('S0-76: the prepared migration relaxes one limit, and its undo tightens it again', async () => {
    const hands = await ready();
    await hands.run('migrate');
    const forward = () =>
      hands.call('forwardFix', {
        rollout: hands.rollout,
        step: hands.step('migrate'),
        fallback: 'relax-age',
      });
    expect(await forward()).toMatchObject({ verdict: 'pass', kind: 'forwardFix' });
    await hands.sql(
      'update characters_human set age = 1000 where character_ptr_id = (select min(character_ptr_id) from characters_human)',
    );
    await hands.sql('update characters_human set age = 20 where age = 1000');
    expect(
      await hands.call('undoForward', {
        rollout: hands.rollout,
        step: hands.step('migrate'),
        args: { fallback: 'relax-age' },
      }),
    ).toMatchObject({
      done: true,
    });
    await expect(hands.sql('update characters_human set age = 1000')).rejects.toMatchObject({
      code: '23514',
    });
    expect(await hands.undo('migrate')).toMatchObject({ done: true });
    expect(await compare(hands)).toMatchObject({ differences: [] });
  });
});
