// The rows before and after: what the seed makes, what the check finds, what the fix may do, and how the
// schema goes up, down and forward.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import {
  checkOut,
  DECISIONS,
  forwardFile,
  manage,
  managed,
  makeRepository,
  query,
  READ_ONLY,
  type Repository,
  seed,
  PATIENCE,
} from './app.ts';
import { pythonEnvironment, WITHOUT_PYTHON } from './python.ts';

const environment = await pythonEnvironment();

describe.skipIf(environment === null)(
  environment ? 'the rows' : WITHOUT_PYTHON,
  { timeout: PATIENCE },
  () => {
    let postgres: TestPostgres;
    let folder: string;
    let repository: Repository;
    let prev: string;
    let next: string;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'tg-'));
      postgres = await startPostgres();
      repository = await makeRepository(join(folder, 'repository'));
      prev = await checkOut(repository, 'v-prev', join(folder, 'prev'));
      next = await checkOut(repository, 'v-next', join(folder, 'next'));
      await seed(postgres, prev, 'dirty');
      await postgres.createDatabase('clean', 'dirty');
      await managed(next, postgres.url('clean'), ['validate_data_integrity', '--fix']).catch(() => undefined);
      await query(postgres.url('clean'), DECISIONS);
    }, PATIENCE);
    afterAll(async () => {
      await postgres?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    let copies = 0;
    async function copy(of: 'dirty' | 'clean'): Promise<string> {
      const name = `${of}_${(copies += 1)}`;
      await postgres.createDatabase(name, of);
      return postgres.url(name);
    }

    interface Finding {
      readonly category: string;
      readonly key: string;
      readonly fix: string;
      readonly message: string;
    }
    const findings = async (url: string): Promise<Finding[]> =>
      JSON.parse(
        (await manage(next, url, ['validate_data_integrity', '--json'], READ_ONLY)).stdout,
      ) as Finding[];
    const constraints = async (url: string): Promise<string[]> =>
      (
        await query<{ name: string }>(
          url,
          `select conname as name from pg_constraint where contype in ('c', 'u')
            and (conname like 'characters_%' or conname like 'game_str%') and conname not like '%_uniq'
            order by 1`,
        )
      ).map(({ name }) => name);

    const DIRTY = `select
    (select count(*)::int from characters_character where xp < 0) as debts,
    (select count(*)::int from characters_character where status = 'zombie') as zombies,
    (select array_agg(age order by age) from characters_human where age < 0 or age > 500) as ages,
    (select array_agg(apparent_age) from characters_human where apparent_age > 200) as looks,
    (select count(*)::int from game_strelationship) as storytellers,
    (select count(*)::int from characters_character) as characters`;

    test('the seed is the same every time and makes what was announced', async () => {
      const [counts] = await query(postgres.url('dirty'), DIRTY);
      expect(counts).toEqual({
        debts: 2,
        zombies: 1,
        ages: [-3, 1000],
        looks: [250],
        storytellers: 9,
        characters: 318,
      });
      const hash = `select md5(string_agg(h::text || c::text, ',' order by h.character_ptr_id)) as hash
      from characters_human h join characters_character c on c.id = h.character_ptr_id`;
      expect(
        await query(postgres.url('dirty'), hash),
        'if the seed was changed on purpose, take the new hash',
      ).toEqual([{ hash: '64987da44a05fa9d94c8404ae29c30eb' }]);
    });

    test('without what people decide, or without anything wrong, it can be asked for too', async () => {
      const decided = await seed(postgres, prev, 'decided', ['--size', '10', '--decided']);
      expect((await findings(decided)).map(({ fix }) => fix)).toEqual(Array<string>(11).fill('auto'));
      await query(
        decided,
        'truncate auth_user, characters_character, game_chronicle restart identity cascade',
      );
      await managed(prev, decided, ['seed_dirty', '--size', '10', '--clean']);
      expect(await findings(decided)).toEqual([]);
    });

    test('the check finds exactly the bad rows, and writes nothing', async () => {
      const found = await findings(postgres.url('dirty'));
      const [first] = await query<{ n: number }>(
        postgres.url('dirty'),
        'select min(id)::int as n from characters_character where xp = -5',
      );
      const at = (offset: number, table = 'characters_human') => `${table} ${first!.n + offset}`;
      expect(found.map(({ category, key, fix }) => [category, key, fix])).toEqual([
        ['xp', at(0, 'characters_character'), 'auto'],
        ['xp', at(1, 'characters_character'), 'auto'],
        ['status', at(12, 'characters_character'), 'people'],
        ['attributes', at(2), 'auto'],
        ['attributes', at(3), 'auto'],
        ['abilities', at(4), 'auto'],
        ['abilities', at(5), 'auto'],
        ['willpower', at(6), 'auto'],
        ['willpower', at(7), 'auto'],
        ['willpower', at(8), 'auto'],
        ['negative-age', at(9), 'auto'],
        ['age', at(10), 'people'],
        ['age', at(11), 'people'],
        ['duplicates', 'game_strelationship 8,9', 'people'],
        ['identical-duplicates', 'game_strelationship 6,7', 'auto'],
      ]);
      expect(Object.keys(found[0]!)).toEqual(['category', 'key', 'fix', 'message']);
      expect(found[0]!.message).toBe('xp is -5, against characters_character_xp_non_negative');
      const report = await manage(
        next,
        postgres.url('dirty'),
        ['validate_data_integrity', '--verbose'],
        READ_ONLY,
      );
      expect(report.code).toBe(1);
      expect(report.stdout.match(/^\d\. /gm)).toHaveLength(8);
      expect(report.stdout.match(/✗ \w+ [\d,]+: /g)).toHaveLength(15);
      expect(report.stdout).toMatch(/ℹ 3 scenes have given[\s\S]+ℹ 2 finished scenes/);
    });

    test('the fix changes exactly what a machine may, says old and new, and people do the rest', async () => {
      const url = await copy('dirty');
      const fix = await manage(next, url, ['validate_data_integrity', '--fix']);
      expect(fix.code).toBe(1);
      expect(
        fix.stdout
          .split('\n')
          .filter((line) => line.includes('→'))
          .map((line) => line.replace(/ \d+ /, ' ')),
      ).toEqual([
        'characters_character xp: -5 → 0',
        'characters_character xp: -100 → 0',
        'characters_human strength: 0 → 1',
        'characters_human dexterity: 11 → 10',
        'characters_human alertness: 12 → 10',
        'characters_human brawl: -1 → 0',
        'characters_human willpower: 0 → 1',
        'characters_human willpower: 11 → 10',
        'characters_human temporary_willpower: 6 → 5',
        'characters_human age: -3 → None',
        'game_strelationship row: the same as 6 → removed',
      ]);
      expect((await findings(url)).map(({ category, fix: by }) => `${category} ${by}`)).toEqual([
        'status people',
        'age people',
        'age people',
        'duplicates people',
      ]);
      const [counts] = await query(url, DIRTY);
      expect(counts).toEqual({
        debts: 0,
        zombies: 1,
        ages: [1000],
        looks: [250],
        storytellers: 8,
        characters: 318,
      });
      expect((await manage(next, url, ['validate_character_data'])).stdout).toMatch(
        /318 characters, 3 broken rules/,
      );
      await query(url, DECISIONS);
      const again = await manage(next, url, ['validate_data_integrity'], READ_ONLY);
      expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('✓ no findings')]);
      expect(JSON.parse(await managed(next, url, ['validate_character_data', '--json'], READ_ONLY))).toEqual(
        [],
      );
    });

    test('the migrations stop at the first bad row, by the name of the constraint', async () => {
      const url = await copy('dirty');
      const ran = await manage(next, url, ['migrate']);
      expect(ran.code).toBe(1);
      expect(ran.stderr).toMatch(/CheckViolation: check constraint "characters_character_xp_non_negative"/);
      expect(
        await query(
          url,
          "select * from django_migrations where name like '0003%' and app in ('characters', 'game')",
        ),
      ).toEqual([]);
      await expect(
        query(url, 'alter table characters_human add constraint t check (strength >= 1)'),
      ).rejects.toMatchObject({ code: '23514' });
    });

    test('on clean rows they go up, and down to where they were', async () => {
      const url = await copy('clean');
      await managed(next, url, ['migrate', '--verbosity', '0']);
      const names = await constraints(url);
      expect(names).toHaveLength(22);
      expect(names.filter((name) => /^characters_human_.*_range$/.test(name))).toHaveLength(15);
      for (const [set, by] of [
        ['strength = 0', 'characters_human_strength_range'],
        ['strength = 15', 'characters_human_strength_range'],
        ['willpower = 5, temporary_willpower = 6', 'characters_human_temp_not_exceeds_max'],
      ])
        await expect(
          query(url, `update characters_human set ${set} where character_ptr_id = 1`),
        ).rejects.toMatchObject({
          code: '23514',
          constraint: by,
        });
      await managed(next, url, ['migrate', 'characters', '0002_xp_spends', '--verbosity', '0']);
      await managed(next, url, ['migrate', 'game', '0002_scene_awards', '--verbosity', '0']);
      expect(await constraints(url)).toEqual([]);
    });

    test('a row that becomes bad after the check is found by the migration', async () => {
      const url = await copy('clean');
      const check = await manage(next, url, ['validate_data_integrity'], {
        ...READ_ONLY,
        INSERT_DIRTY_AFTER_VALIDATE: '1',
      });
      expect(check.code).toBe(0);
      expect((await manage(next, url, ['migrate'])).stderr).toMatch(/characters_character_xp_non_negative/);
      expect(await findings(url)).toMatchObject([{ category: 'xp', fix: 'auto' }]);
    });

    test(
      'the forward fallbacks relax the age, or take the constraints away, with the models; both one ' +
        'after the other',
      async () => {
        const url = await copy('clean');
        const checkout = await checkOut(repository, 'v-next', join(folder, 'forward'));
        const age = (value: number) =>
          query(url, `update characters_human set age = ${value} where character_ptr_id = 1`);
        await managed(checkout, url, ['migrate', '--verbosity', '0']);
        await expect(age(1000)).rejects.toMatchObject({ constraint: 'characters_human_age_limits' });

        const relax = forwardFile(checkout, 'relax_age_constraint');
        cpSync(relax.from, relax.to);
        await managed(checkout, url, ['makemigrations', '--check', '--dry-run']);
        await managed(checkout, url, ['migrate', '--verbosity', '0']);
        await age(1000);
        await expect(age(-1)).rejects.toMatchObject({ constraint: 'characters_human_age_limits' });
        expect(JSON.parse(await managed(checkout, url, ['validate_character_data', '--json']))).toEqual([]);

        const remove = forwardFile(checkout, 'remove_validation_constraints');
        cpSync(remove.from, remove.to);
        await managed(checkout, url, ['makemigrations', '--check', '--dry-run']);
        await managed(checkout, url, ['migrate', '--verbosity', '0']);
        expect(await constraints(url)).toEqual(['game_strelationship_one_for_each_gameline']);
        await age(-1);
        await age(31);
        await managed(checkout, url, [
          'migrate',
          'characters',
          '0007_add_age_constraints',
          '--verbosity',
          '0',
        ]);
        expect(await constraints(url)).toHaveLength(22);
      },
    );
  },
);
