// Preflight on a real server: what would go wrong later is found before anything is done, and nothing is
// tried by writing.
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migratorNames } from '../../activities/migrators/index.ts';
import { restarterNames } from '../../activities/restarters/index.ts';
import { migrators } from '../../src/core/plan/migrators/index.ts';
import { restarters } from '../../src/core/plan/restarters/index.ts';
import {
  BACKUP,
  type Bench,
  failureOf,
  type HandsSpec,
  MIGRATE,
  permit,
  query,
  raiseBench,
  withPrograms,
} from '../support/hands.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await raiseBench();
  await query(
    bench.postgres.url('postgres'),
    'create role no_createdb login; create role no_owner login createdb',
  );
});
afterAll(() => bench?.stop());

const PREFLIGHT =
  '  - { step: preflight, preflight: { tools: [git, psql], disk: at least 1% of database } }\n';
const steps = PREFLIGHT + BACKUP + MIGRATE;
const look = async (spec: Partial<HandsSpec> = {}) =>
  (await permit(bench, { steps, ...spec })).run('preflight');
const as = (role: string) => (url: string) => url.replace('postgres://postgres@', `postgres://${role}@`);

test('all is well: what was looked at is said', async () => {
  const receipt = await look();
  expect(receipt).toMatchObject({ verdict: 'pass' });
  expect(receipt.details).toEqual(
    expect.arrayContaining([
      'pg_dump is there',
      'migrations: sql can be driven',
      'service web: process can be driven',
      expect.stringMatching(/^pg_dump \d+ for server \d+/u),
      'no other rollout is open on this database',
    ]),
  );
});

describe('found before anything is done', () => {
  test('a tool that is not there', async () =>
    expect(await look({ steps: steps.replace('[git, psql]', '[git, no-such-tool]') })).toMatchObject({
      verdict: 'fail',
      details: ["no-such-tool is not on the worker's path"],
    }));

  test('S1-04: a service beside the database that takes no connection', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const reach = (address: string) =>
      look({ steps: steps.replace('tools: [git, psql]', `tools: [git, psql], reach: ['${address}']`) });
    try {
      expect(await reach(`127.0.0.1:${port}`)).toMatchObject({
        verdict: 'pass',
        details: expect.arrayContaining([`127.0.0.1:${port} takes connections`]),
      });
    } finally {
      server.close();
      await once(server, 'close');
    }
    expect(await reach(`127.0.0.1:${port}`)).toMatchObject({
      verdict: 'fail',
      details: [`127.0.0.1:${port} takes no connection: ECONNREFUSED`],
    });
  });

  test('a pg_dump older than the server', async () => {
    const receipt = await withPrograms(bench, { pg_dump: 'echo "pg_dump (PostgreSQL) 9.6.24"' }, () =>
      look(),
    );
    expect(receipt).toMatchObject({
      verdict: 'fail',
      details: [expect.stringMatching(/^pg_dump 9 cannot dump server \d+.*; install client \d+$/u)],
    });
  });

  test('a role that may not create the scratch database', async () =>
    expect(await look({ asRole: as('no_createdb') })).toMatchObject({
      verdict: 'fail',
      details: expect.arrayContaining([
        'role no_createdb may not create the scratch database: alter role no_createdb createdb',
      ]),
    }));

  test('tables of another owner', async () =>
    expect(await look({ asRole: as('no_owner') })).toMatchObject({
      verdict: 'fail',
      details: expect.arrayContaining([
        expect.stringMatching(/^role no_owner does not own .*: grant postgres to no_owner, or name a login/u),
        expect.stringMatching(
          /^role no_owner may not create the schema soakgate.*: grant create on database/u,
        ),
      ]),
    }));

  test(
    'a fallback that restores, for a role that does not own the database or may not end the sessions ' +
      'of others',
    async () => {
      const fallbacks = ', restore: { approved: { roles: [dba] }, loses: writes-since-backup }';
      expect(await look({ fallbacks })).toMatchObject({
        verdict: 'pass',
        details: expect.arrayContaining([expect.stringContaining('may restore')]),
      });
      const found = await look({ fallbacks, asRole: as('no_owner') });
      expect(found.details).toContainEqual(
        expect.stringMatching(
          /^role no_owner does not own this database, so a restore could not take its name: alter database \w+ owner to/u,
        ),
      );
    },
  );

  test('a disk that is too small', async () =>
    expect(
      await look({ steps: steps.replace('at least 1% of database', 'at least 900000GB') }),
    ).toMatchObject({
      verdict: 'fail',
      details: [expect.stringMatching(/MiB free for a database of \d+ MiB, wanted at least 900000GB/u)],
    }));

  test('S1-03: a server that does not answer, by its address and within its time', async () => {
    // It takes the connection and never says a word: without a time of its own, preflight would wait for as
    // long as this test may last.
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    try {
      for (const at of [1, port]) {
        expect(
          await failureOf(look({ asRole: (url) => Object.assign(new URL(url), { port: String(at) }).href })),
        ).toMatchObject({
          code: 'TARGET_UNREACHABLE',
          message: expect.stringMatching(
            new RegExp(`^TARGET_UNREACHABLE: the database 127\\.0\\.0\\.1:${at}/\\w+ cannot be reached`, 'u'),
          ),
        });
      }
    } finally {
      silent.close();
    }
  });

  test('a rollout of another deployment on the same database that was never closed', async () => {
    const first = await permit(bench, { steps });
    await first.run('backup');
    await first.call('migrate', first.input('migrate')).catch(() => undefined);
    const second = await permit(bench, { steps, url: first.url });
    expect(await second.run('preflight')).toMatchObject({
      verdict: 'fail',
      details: [expect.stringContaining(`soakgate recover ${first.rollout.deployment}`)],
    });
  });

  test('a rollout that people left stuck is no reason to refuse, and is named', async () => {
    const first = await permit(bench, { steps });
    await first.call('closeRollout', { rollout: first.rollout, outcome: 'stuck' });
    const { world, rollout } = first;
    const next = { ...rollout, deployment: `${rollout.deployment}-x`, hash: 'eeeeeeeeee' };
    await world.permitStore.keepRollout({ rollout: next, permit: {} as never, list: first.list });
    const receipt = await first.call('preflight', { rollout: next, step: first.list.steps[0] });
    expect(receipt).toMatchObject({ verdict: 'pass' });
    expect((receipt as { details: string[] }).details).toContainEqual(
      expect.stringContaining(`${rollout.deployment} was left stuck here`),
    );
  });

  test('a tool of the plan that nothing here can drive, by name', async () => {
    const hands = await permit(bench, { steps });
    const { rollout } = hands;
    const list = {
      ...hands.list,
      migrations: { ...hands.list.migrations!, tool: 'flyway' },
      environment: { ...hands.list.environment, services: [{ name: 'web', tool: 'runit', options: {} }] },
    };
    const other = { ...rollout, deployment: `${rollout.deployment}-x`, hash: 'ffffffffff' };
    await hands.world.permitStore.close(rollout, 'restored');
    await hands.world.permitStore.keepRollout({ rollout: other, permit: {} as never, list });
    expect(await hands.call('preflight', { rollout: other, step: list.steps[0] })).toMatchObject({
      verdict: 'fail',
      details: [
        `migrations: there is no adapter for flyway here (there is: ${Object.keys(migrators).join(', ')})`,
        `service web: there is no adapter for runit here (there is: ${Object.keys(restarters).join(', ')})`,
      ],
    });
  });
});

test('every tool that a plan may name has its adapter, and no other', () => {
  expect(migratorNames()).toEqual(Object.keys(migrators));
  expect(restarterNames()).toEqual(Object.keys(restarters));
});
