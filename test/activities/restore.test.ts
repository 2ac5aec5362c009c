// The rollback by restore on a real server: approved, beside, compared, swapped; what is lost is named; half
// a swap is mended.
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { truncate } from 'node:fs/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Comparison, Newer } from '../../src/core/activities.ts';
import type { Json } from '../../src/core/plan/plan.ts';
import { replacedDatabase } from '../../src/core/ids.ts';
import type { MessageName, Signed } from '../../src/core/messages.ts';
import type { UndoReceipt } from '../../src/core/receipts.ts';
import { openRollout } from '../../src/io/fence.ts';
import { withDatabase, withSession } from '../../src/io/postgres.ts';
import { createKey, signMessage } from '../../src/io/trust.ts';
import {
  BACKUP,
  type Bench,
  DATA,
  failureOf,
  type Hands,
  MIGRATE,
  permit,
  query,
  raiseBench,
} from '../support/hands.ts';
import { here } from '../support/signing.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await raiseBench();
  await query(bench.postgres.url('postgres'), 'create role app login; create role report login');
});
afterAll(() => bench?.stop());

const steps = BACKUP + DATA + MIGRATE;
const fallbacks = ', restore: { approved: { roles: [dba] }, loses: writes-since-backup }';
interface Someone {
  readonly key: KeyObject;
  readonly person: { readonly name: string; readonly key: string; readonly roles: readonly string[] };
}
const someone = (name: string, ...roles: string[]): Someone => {
  const { privatePem, publicText } = createKey();
  return { key: createPrivateKey(privatePem), person: { name, key: publicText, roles } };
};
const [lea, dan, stranger] = [someone('lea', 'lead'), someone('dan', 'dba'), someone('eve', 'dba')];

const ready = async () => {
  const hands = await permit(bench, { steps, fallbacks, people: [lea.person, dan.person] });
  for (const step of ['backup', 'data: fix', 'migrate']) await hands.run(step);
  return hands;
};
function signed(
  hands: Hands,
  who: Someone,
  more: Readonly<Record<string, Json>> = {},
  message: MessageName = 'decide',
): Signed {
  const expires = new Date(Date.now() + 60_000).toISOString();
  const bound = { deployment: hands.rollout.deployment, environment: 'here', nonce: 'n', expires };
  return signMessage(who.key, message, who.person.name, {
    ...here(),
    ...bound,
    decision: 'restore',
    ...more,
  });
}
const restore = (hands: Hands, approvals: readonly Signed[] = [signed(hands, dan)]) =>
  hands.call<UndoReceipt>('restore', {
    rollout: hands.rollout,
    step: hands.step('backup'),
    args: {},
    approvals,
  });
const constraints = async (hands: Hands) =>
  (
    await hands.sql<{ name: string }>(
      "select conname as name from pg_constraint where conname like 'orders\\_%\\_non\\_negative'",
    )
  ).map(({ name }) => name);
const oid = async (hands: Hands) =>
  (await hands.sql<{ oid: number }>('select oid from pg_database where datname = current_database()'))[0]!
    .oid;
const aside = (hands: Hands) => withDatabase(hands.url, replacedDatabase(hands.rollout));

describe('who may', () => {
  test.each<[string, (hands: Hands) => readonly Signed[]]>([
    ['nobody has signed', () => []],
    ['a lead has signed, the fallback asks for a dba', (hands) => [signed(hands, lea)]],
    ['it was signed for another deployment', (hands) => [signed(hands, dan, { deployment: 'other' })]],
    ['it was signed for another word', (hands) => [signed(hands, dan, { decision: 'retry' })]],
    ['it has expired', (hands) => [signed(hands, dan, { expires: '2026-01-01T00:00:00Z' })]],
    ['the environment does not know who signed', (hands) => [signed(hands, stranger)]],
    [
      'the signature is that of another text',
      (hands) => [{ ...signed(hands, dan, { decision: 'retry' }), body: signed(hands, dan).body }],
    ],
  ])('%s: refused, and nothing was done', async (_, approvals) => {
    const hands = await ready();
    const before = await oid(hands);
    expect(await failureOf(restore(hands, approvals(hands)))).toMatchObject({
      code: 'PERMIT_REFUSED',
      message: expect.stringContaining('dba is missing'),
    });
    expect(await oid(hands)).toBe(before);
    expect(await constraints(hands)).not.toEqual([]);
  });

  test(
    'the message `rollback` with the fallback counts as well; a plan without the fallback has no ' +
      'restore at all',
    async () => {
      const hands = await ready();
      expect(await restore(hands, [signed(hands, dan, { fallback: 'restore' }, 'rollback')])).toMatchObject({
        done: true,
      });
      const without = await permit(bench, { steps });
      expect(await failureOf(restore(without))).toMatchObject({ code: 'NOT_PERMITTED' });
    },
  );
});

/** Set after the backup, carried over by the restore: named, and not held against it. */
const CARRIED = [
  'as a template',
  'comment',
  'connection limit',
  'grants',
  'owner',
  ...Array(3).fill('setting'),
];
const SETTINGS = CARRIED.map(
  (what: string): string =>
    expect.stringMatching(new RegExp(`^database ${what}.*; by others since the backup$`, 'u')) as string,
);

test(
  'T-04, T-05, T-06: a fresh database takes the name; owner, grants, settings, limit and comment come ' +
    'along; sessions are ended; the rows since are named as lost',
  async () => {
    const hands = await ready();
    const name = new URL(hands.url).pathname.slice(1);
    await query(
      hands.url,
      `alter database ${name} set work_mem = '5MB'; alter database ${name}
      set search_path = audit, public; alter role app in database ${name} set statement_timeout = '9s';
     revoke connect on database ${name} from public; grant connect
     on database ${name} to app, report; grant temporary on database ${name} to app with grant option;
     alter database ${name} connection limit 33 is_template true; comment
     on database ${name} is 'the shop''s'; alter database ${name} owner to app;
     insert into customers (name, email) values ('new', 'new@example.org'); update orders
     set status = 'shipped' where id in (1, 2);`,
    );
    const properties = `select pg_get_userbyid(datdba) as owner, datconnlimit, datistemplate, shobj_description(oid,
    'pg_database') as comment, datacl::text[] as acl,
    (select array_agg(coalesce(setrole::regrole::text, '') || setconfig::text order by 1)
    from pg_db_role_setting where setdatabase = d.oid) as settings from pg_database d
    where datname = '${name}'`;
    const before = (await hands.sql<{ acl: string[] }>(properties))[0]!;
    const app = new pg.Client({ connectionString: hands.url, application_name: 'shop' });
    let ended = false;
    app.on('error', () => (ended = true));
    await app.connect();

    // Counted before anybody signs; what fix and migration wrote is no loss.
    expect(await hands.call<Newer>('countNewer', { rollout: hands.rollout })).toMatchObject({
      rows: 3,
      tables: [
        { table: 'public.orders', rows: 2 },
        { table: 'public.customers', rows: 1 },
      ],
      summary: expect.stringMatching(
        /^3 rows written since the backup of 20.*Z \(public\.orders 2, public\.customers 1\), counted at 20.*Z; deleted/u,
      ),
    });
    const receipt = await restore(hands);

    expect(receipt).toMatchObject({
      undo: 'restore',
      done: true,
      differences: [],
      summary: expect.stringContaining(replacedDatabase(hands.rollout)),
    });
    // The two rows that the application changed and the one it added; not what fix and migration wrote.
    expect(receipt.notes).toEqual([
      expect.stringMatching(/^the target was closed for \d+ ms, \d+ sessions were ended$/u),
      'lost: public.orders: 2 rows (1 changed, 2 changed)',
      'lost: public.customers: 1 row (21 added)',
    ]);
    expect(ended).toBe(true);
    expect(await constraints(hands)).toEqual([]);
    const after = (await hands.sql<{ acl: string[] }>(properties))[0]!;
    expect({ ...after, acl: [...after.acl].sort() }).toEqual({ ...before, acl: [...before.acl].sort() });
    expect(
      await hands.call<Comparison>('compareRollback', { rollout: hands.rollout, ran: [] }),
    ).toMatchObject({
      equal: true,
      writtenSince: SETTINGS,
    });
    expect(await query(aside(hands), "select from customers where name = 'new'")).toHaveLength(1);
    expect(await withSession(hands.url, 'test', openRollout)).toMatchObject({ rollout: hands.rollout.hash });
    expect(await withSession(aside(hands), 'test', openRollout)).toBeUndefined();

    // Written after the swap by the application: named as such, not held against the restore.
    await query(hands.url, "insert into customers (name, email) values ('later', 'later@example.org')");
    expect(
      await hands.call<Comparison>('compareRollback', { rollout: hands.rollout, ran: [] }),
    ).toMatchObject({
      equal: true,
      writtenSince: [expect.stringContaining('public.customers'), ...SETTINGS],
    });
    await hands.call('closeRollout', { rollout: hands.rollout, outcome: 'restored' });
    expect(await withSession(hands.url, 'test', openRollout)).toBeUndefined();
    expect(await query(aside(hands), 'select 1')).toHaveLength(1);
  },
);

describe('twice, or half', () => {
  test('asked again it restores nothing again', async () => {
    const hands = await ready();
    await restore(hands);
    const first = await oid(hands);
    await query(hands.url, "insert into customers (name, email) values ('kept', 'kept@example.org')");
    expect(await restore(hands)).toMatchObject({ done: true });
    expect(await oid(hands)).toBe(first);
    expect(await hands.sql("select from customers where name = 'kept'")).toHaveLength(1);
    expect(
      await hands.call<Comparison>('compareRollback', { rollout: hands.rollout, ran: [] }),
    ).toMatchObject({
      equal: true,
      writtenSince: [expect.stringContaining('public.customers')],
    });
  });

  test('killed between shutting the door and swapping the names: the next attempt opens, and goes through', async () => {
    const hands = await ready();
    const name = new URL(hands.url).pathname.slice(1);
    const elsewhere = bench.postgres.url('postgres');
    await query(elsewhere, `create database sg_${hands.rollout.hash}_restored`);
    await query(elsewhere, `alter database ${name} with allow_connections false`);
    expect(await restore(hands)).toMatchObject({ done: true });
    expect(await constraints(hands)).toEqual([]);
  });

  test('a dump that is no longer what was proven: refused, the target stays and is open', async () => {
    const hands = await ready();
    await truncate(await hands.world.artifacts.path(`rollouts/${hands.rollout.hash}/backup.dump`), 2_000);
    const before = await oid(hands);
    expect(await failureOf(restore(hands))).toMatchObject({ code: 'BACKUP_FAILED' });
    expect(await oid(hands)).toBe(before);
    expect(await constraints(hands)).not.toEqual([]);
  });
});
