// What goes wrong with the genuine Django product: each line of the plan's matrix is provoked once, by the
// app's own switches and faults,
// and ends as the matrix says.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ShownProgress } from '../../src/client/shown-progress.ts';
import { ask, query } from '../examples/validation-system/app.ts';
import { pythonEnvironment, WITHOUT_PYTHON } from '../examples/validation-system/python.ts';
import { withoutProduction, withoutStaging } from '../support/characters.ts';
import {
  type CharactersStage,
  type Place,
  raiseCharactersStage,
  type Run,
} from '../support/characters-stage.ts';

const LONGEST_MS = 1_800_000;
const environment = await pythonEnvironment();

describe.skipIf(environment === null)(environment ? 'the matrix of the characters' : WITHOUT_PYTHON, () => {
  let stage: CharactersStage;
  beforeAll(async () => void (stage = await raiseCharactersStage()), LONGEST_MS);
  afterAll(() => stage?.stop());

  /** One environment is enough to break: the plan without production, or with nothing else. */
  const only = (name: string, production: boolean) => (text: string) =>
    (production ? withoutStaging(text) : withoutProduction(text))
      .replaceAll(', in: [staging]', '')
      .replaceAll('    in: [staging]\n', '')
      .replaceAll(production ? 'production' : 'staging', name)
      .replace('samples: 200 } } }', 'samples: 50 } } }')
      .replace('samples: 200, mean', 'samples: 50, mean');
  const begin = async (
    name: string,
    options: { fault?: string; edit?: (text: string) => string; players?: number; production?: boolean } = {},
  ): Promise<{ place: Place; run: Run }> => {
    const place = await stage.environment(name, 'clean', {
      players: options.players ?? 0,
      ...(options.fault !== undefined && { fault: options.fault }),
    });
    const plan = await stage.plan([place], (text) =>
      (options.edit ?? ((same) => same))(only(name, options.production ?? false)(text)),
    );
    const run = await stage.start(plan, options.fault);
    if (options.production) {
      await run.until(
        'the gate waits',
        ({ waitingFor }) => waitingFor?.startsWith(`the gate of ${name}`) === true,
      );
      for (const person of ['lea', 'dan'] as const)
        expect(await run.say('approve', person, name)).toMatchObject({ outcome: 'accepted' });
    }
    return { place, run };
  };
  const asks =
    (words: string) =>
    ({ waitingFor }: ShownProgress) =>
      waitingFor?.includes(`a decision (${words}`) === true;
  const passed =
    (step: string) =>
    ({ lines }: ShownProgress) =>
      lines.find(({ name }) => name === step)?.state === 'pass';
  const switches = (place: Place, values: object) => writeFile(place.switches, JSON.stringify(values));
  const constraints = async (place: Place) =>
    (
      await query<{ n: number }>(
        place.database,
        "select count(*)::int as n from pg_constraint where contype = 'c' and conname like 'characters%'",
      )
    )[0]!.n;
  const undone = async (run: Run, name: string) =>
    (await run.rolloutResult(name)).undos.map(({ undo }) => undo);

  test(
    'before migrate: stop. A way down that leaves something is found in preview, and nothing was written',
    { timeout: LONGEST_MS },
    async () => {
      const { place, run } = await begin('preview', { fault: 'down-leaves-a-constraint' });
      expect(await run.result()).toMatchObject({
        reason: expect.stringContaining('the rehearsal found a problem'),
      });
      expect(await constraints(place)).toBe(0);
    },
  );

  test(
    'migrate: S0-73, a row that was made dirty after the check stops it with 23514; downgrade, and ' +
      'everything is as recorded',
    { timeout: LONGEST_MS },
    async () => {
      const { place, run } = await begin('migrate', {
        fault: 'dirty-after-validate',
        edit: (text) => text.replace('rehearse: up-down-up', 'rehearse: skip').replace(/ {6}fix: .*\n/u, ''),
      });
      expect(await run.result()).toMatchObject({
        outcome: 'rolled-back',
        reason: expect.stringContaining('23514'),
      });
      expect(await constraints(place)).toBe(0);
    },
  );

  test(
    'forbidden-writes: S0-82, a constraint that guards nothing is found by the write that it lets ' +
      'through; downgrade',
    { timeout: LONGEST_MS },
    async () => {
      const { place, run } = await begin('refused', { fault: 'guards-nothing' });
      expect(await run.result()).toMatchObject({ outcome: 'rolled-back' });
      expect((await run.rolloutResult('refused')).receipts.at(-1)).toMatchObject({
        step: 'forbidden-writes',
        verdict: 'fail',
      });
      expect(await undone(run, 'refused')).toContain('downgrade');
      expect(await constraints(place)).toBe(0);
    },
  );

  test(
    'health: downgrade; T-36: by the new code, before the old code serves again',
    { timeout: LONGEST_MS },
    async () => {
      const edit = (text: string) =>
        text.replace(', ready: /health, build: /build', '').replace('within: 60s', 'within: 5s');
      const { place, run } = await begin('health', { edit });
      await run.until('it has migrated', passed('migrate'), 'health');
      await switches(place, { breakHealth: true });
      await run.until(
        'it rolls back',
        ({ phase }) => phase === 'rolling back' || phase === 'restored',
        'health',
      );
      await switches(place, {});
      expect(await run.result()).toMatchObject({ outcome: 'rolled-back' });
      expect(
        (await undone(run, 'health')).filter((undo) => ['downgrade', 'revertSwitch'].includes(undo)),
      ).toEqual(['downgrade', 'revertSwitch']);
      expect(await constraints(place)).toBe(0);
    },
  );

  test(
    "production's own watch: down it goes behind its closed site; fallback downgrade: it leaves a " +
      'constraint, so people restore, and then it opens',
    { timeout: LONGEST_MS },
    async () => {
      const edit = (text: string) => longWatch(text).replace('rehearse: up-down-up', 'rehearse: up');
      const { place, run } = await begin('watched', {
        fault: 'down-leaves-a-constraint',
        edit,
        production: true,
      });
      // Nobody plays, so people are asked first; what is worse does not wait for them.
      await run.until('asked', asks('continue | downgrade) about validation/'), 'watched');
      const seen = lookFromOutside(place);
      await switches(place, { breakHealth: true });
      await run.until(
        'stuck',
        ({ phase, waitingFor }) => phase === 'stuck' && waitingFor !== null,
        'watched',
      );
      await switches(place, {});
      expect(await run.say('decide', 'lea', 'watched', { decision: 'restore' })).toMatchObject({
        outcome: 'accepted',
      });
      await run.until(
        'approval',
        ({ waitingFor }) => waitingFor?.startsWith('approval of restore by dba') === true,
        'watched',
      );
      await run.say('decide', 'dan', 'watched', { decision: 'restore' });
      expect(await run.result()).toMatchObject({
        outcome: 'rolled-back',
        reason: expect.stringContaining('site/failures'),
      });
      expect(
        (await undone(run, 'watched')).filter((undo) =>
          ['downgrade', 'revertSwitch', 'restore'].includes(undo),
        ),
      ).toEqual(['downgrade', 'revertSwitch', 'restore']);
      expect(await constraints(place)).toBe(0);
      expect(await seen(), 'nobody is let in before the database is whole').toMatch(CLOSED_MEANWHILE);
    },
  );

  test(
    'rest: S0-78, one test of 89 fails; people are asked, and roll back',
    { timeout: LONGEST_MS },
    async () => {
      const { place, run } = await begin('tests', { fault: 'one-bad-test' });
      await run.until('asked', asks('continue | downgrade | restore'), 'tests');
      await run.say('decide', 'lea', 'tests', { decision: 'downgrade' });
      expect(await run.result()).toMatchObject({
        outcome: 'rolled-back',
        reason: expect.stringContaining('88 tests passed, 1 failed'),
      });
      expect(await constraints(place)).toBe(0);
    },
  );

  test(
    "performance, then in production's watch validation, database, log, sessions and silence, each " +
      'asked; at last the site, and down it goes',
    { timeout: LONGEST_MS },
    async () => {
      const edit = (text: string) =>
        longWatch(text).replace('mean: at most 2000% of baseline', 'mean: at most 120ms');
      const { place, run } = await begin('soak', { edit, players: 2, production: true });
      await run.until('it serves', passed('restart'), 'soak');
      await switches(place, { slowMs: 200 });
      await run.until(
        'performance',
        asks('continue | drop-constraints | downgrade) about performance'),
        'soak',
      );
      await switches(place, {});
      await run.say('decide', 'dan', 'soak', { decision: 'continue' });

      await run.until('it is watched', ({ phase }) => phase === 'watch', 'soak');
      await switches(place, { failAfter: 1 });
      await run.until(
        'validation',
        asks('continue | relax-age | drop-constraints | downgrade) about validation'),
        'soak',
      );
      await switches(place, {});
      expect(await run.say('decide', 'lea', 'soak', { decision: 'relax-age' })).toMatchObject({
        outcome: 'accepted',
      });
      await run.until(
        'S0-76: the age is relaxed',
        ({ notes }) => notes.some((note) => note.includes('characters.relax_age_constraint applied')),
        'soak',
      );
      await query(
        place.database,
        `update characters_human set age = 1000
          where character_ptr_id = (select max(character_ptr_id) from characters_human)`,
      );
      await query(place.database, 'update characters_human set age = null where age = 1000');

      await switches(place, { deadlock: true });
      // Two within a day of this run are four seconds apart: pair after pair, until it is asked.
      let enough = false;
      const pairs = (async () => {
        while (!enough)
          await Promise.allSettled(
            ['forward', 'backward'].map((order) => ask(place.url, 'POST', `/api/deadlock/${order}/`)),
          );
      })();
      // The app's own monitor looks back: what went wrong is asked about again until it is over.
      const goOn = async (fits: (progress: ShownProgress) => boolean) => {
        for (;;) {
          const now = await run.until(
            'asked, or so far',
            (progress) =>
              fits(progress) ||
              asks('continue | relax-age')(progress) ||
              asks('continue | downgrade)')(progress) ||
              // Of few transactions in a quiet second, a deadlock's or a refused row's weighs much.
              asks(') about database/rollbacks')(progress),
            'soak',
          );
          if (fits(now)) return;
          await run.say('decide', 'lea', 'soak', { decision: 'continue' });
        }
      };
      // S0-75: the pair of statements that lock each other out is seen in the server's own counters.
      await goOn(asks('continue | drop-constraints) about database/deadlocks')).finally(
        () => (enough = true),
      );
      await pairs;
      await switches(place, {});
      await run.say('decide', 'lea', 'soak', { decision: 'continue' });

      // What only the database stops stands in the log, by the name of its constraint.
      const { id } = (await ask(place.url, 'POST', '/api/characters/', { name: 'Strong' })).json;
      await switches(place, { skipValidation: true });
      while (
        !(await readFile(join(place.logs, 'validation.log'), 'utf8')).includes(
          '23514 characters_human_strength_range',
        )
      ) {
        await ask(place.url, 'PATCH', `/api/characters/${id}/`, { strength: 15 });
        await new Promise((wake) => setTimeout(wake, 200));
      }
      await switches(place, {});
      await goOn(asks('continue | drop-constraints | downgrade) about log/integrity'));
      expect((await run.progress('soak')).waitingFor).toContain('characters_human_strength_range');
      expect(await constraints(place)).toBeGreaterThan(20);
      await run.say('decide', 'lea', 'soak', { decision: 'drop-constraints' });
      await goOn(({ notes }) =>
        notes.some((note) => note.includes('characters.remove_validation_constraints applied')),
      );
      expect(await constraints(place)).toBe(0);

      // Six transactions that nobody ends.
      const idle = await Promise.all(Array.from({ length: 6 }, () => idleTransaction(place.database)));
      await goOn(asks('continue | drop-constraints) about sessions/slow'));
      await Promise.all(idle.map((client) => client.query('commit').then(() => client.end())));
      await run.say('decide', 'lea', 'soak', { decision: 'continue' });

      // Silence is no pass. The monitor looks back a day, which is not waited for: what was played is made
      // two days older.
      place.silence();
      await query(place.database, "update monitoring_operation set at = at - interval '2 days'");
      await goOn(asks('continue | downgrade) about '));
      expect((await run.progress('soak')).waitingFor).toContain('has too few samples');
      await run.say('decide', 'lea', 'soak', { decision: 'continue' });

      const seen = lookFromOutside(place);
      await switches(place, { breakHealth: true });
      await goOn(({ phase }) => phase === 'rolling back' || phase === 'restored');
      // The old release has the same switch: it would not be well, either.
      await switches(place, {});
      expect(await run.result()).toMatchObject({
        outcome: 'rolled-back',
        reason: expect.stringContaining('site/failures'),
      });
      expect((await undone(run, 'soak')).slice(0, 5)).toEqual([
        'closeSite',
        'stopServices',
        'undoForward',
        'undoForward',
        'downgrade',
      ]);
      expect(await constraints(place)).toBe(0);
      expect(await seen()).toMatch(CLOSED_MEANWHILE);
    },
  );
});

/** Long enough for all that is provoked in it; the site ends it. */
const longWatch = (text: string) =>
  text.replace(
    'watch: { for: 24h, every: 30s, gap: at most 23h }',
    'watch: { for: 120d, every: 4h, gap: at most 3d }',
  );

/**
 * What somebody outside gets: the old answers, then refusals (by the site, or by nobody), then answers again.
 */
const CLOSED_MEANWHILE = /^200 503 (?:(?:503|none) )*200 $/u;

/** Asks the site's front page until it is told to end; each answer once for as long as it stays the same. */
function lookFromOutside({ url }: Place): () => Promise<string> {
  let over = false;
  const looking = (async () => {
    let seen = '';
    let last = '';
    while (!over) {
      const now = await ask(url, 'GET', '/').then(
        ({ status }) => `${status} `,
        () => 'none ',
      );
      if (now !== last) seen += now;
      last = now;
      await new Promise((wake) => setTimeout(wake, 50));
    }
    return seen;
  })();
  return () => {
    over = true;
    return looking;
  };
}

async function idleTransaction(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: 'forgotten' });
  await client.connect();
  await client.query('begin; select count(*) from characters_human');
  return client;
}
