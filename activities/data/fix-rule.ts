// One rule's fix: the table is walked once along its key, and in each stretch exactly the rows that the rule
// finds are changed, or none of them.
import { count } from '../../src/core/count.ts';
import { fail } from '../../src/core/failures.ts';
import type { RowRule } from '../../src/core/plan/steps/data.ts';
import { FENCED_STATE, fenceGuard } from '../../src/io/fence.ts';
import { quoteName, quoteText, serverError, type Session } from '../../src/io/postgres.ts';
import { imageTable } from './image-table.ts';
import { keyText, rowImage, type TableShape } from './table-shape.ts';
import type { Work } from '../frame/step-context.ts';

/** Rows of the table looked at in one transaction. */
const STRETCH = 20_000;
/** A row that somebody changes between our look and our lock is looked at again. */
const TRIES = 5;
/** Serialisation failure and deadlock: the same transaction may go through now. */
const AGAIN = ['40001', '40P01'];

export interface Fixed {
  readonly rows: number;
  /** Rows of other tables that triggers and cascades wrote meanwhile: table → rows. */
  readonly beside: Readonly<Record<string, number>>;
  /** Why it stopped; null when it came to its end. Stretches before it stay, with their images. */
  readonly stopped: string | null;
}

/** @throws StepFailure FENCED when a later attempt has taken over. */
export async function fixRule(
  session: Session,
  work: Work,
  rule: RowRule,
  shape: TableShape,
): Promise<Fixed> {
  const beside: Record<string, number> = {};
  let rows = 0;
  let after: readonly string[] | null = null;
  for (;;) {
    work.signal.throwIfAborted();
    const upTo: readonly string[] | null = await endOfStretch(session, shape, after);
    const done = await fixStretch(session, work, rule, shape, [after, upTo]);
    if (typeof done === 'string') return { rows, beside, stopped: done };
    rows += done.rows;
    for (const [table, n] of Object.entries(done.beside)) beside[table] = (beside[table] ?? 0) + n;
    work.progress(`${rule.name}: ${count(rows, 'row')}`);
    if (upTo === null) return { rows, beside, stopped: null };
    after = upTo;
  }
}

/** The key at which this stretch ends; null in the last one. */
async function endOfStretch(
  session: Session,
  shape: TableShape,
  after: readonly string[] | null,
): Promise<readonly string[] | null> {
  const names = shape.key.map(({ name }) => `t.${quoteName(name)}`).join(', ');
  const [row] = await session.query<{ values: string[] }>(
    `select array[${shape.key.map(({ name }) => `t.${quoteName(name)}::text`).join(', ')}]::text[] as values
      from ${shape.quoted} t where ${beyond(shape, '>', after)} order by ${names}
      offset ${STRETCH - 1} limit 1`,
  );
  return row?.values ?? null;
}

/** `(k1, k2) > ('…'::type, '…'::type)`, or true where there is no such end. */
function beyond({ key }: TableShape, sign: '>' | '<=', values: readonly string[] | null): string {
  if (values === null) return 'true';
  const names = key.map(({ name }) => `t.${quoteName(name)}`).join(', ');
  const ends = key.map(({ type }, at) => `${quoteText(values[at]!)}::${type}`).join(', ');
  return `(${names}) ${sign} (${ends})`;
}

type Done = Pick<Fixed, 'rows' | 'beside'>;
type Stretch = readonly [after: readonly string[] | null, upTo: readonly string[] | null];

/** All rows that the rule finds in the stretch are changed, or none; then the reason. */
async function fixStretch(
  session: Session,
  work: Work,
  rule: RowRule,
  shape: TableShape,
  [after, upTo]: Stretch,
): Promise<Done | string> {
  const within = `${beyond(shape, '>', after)} and ${beyond(shape, '<=', upTo)}`;
  for (let tries = 1; ; tries += 1) {
    const done = await tryStretch(session, work, rule, shape, within);
    if (!('why' in done)) return done;
    if (!done.again || tries === TRIES) return done.why;
  }
}

async function tryStretch(
  session: Session,
  work: Work,
  rule: RowRule,
  shape: TableShape,
  within: string,
): Promise<Done | { readonly why: string; readonly again: boolean }> {
  await session.query('begin');
  try {
    await session.query(fenceGuard(work.rollout, work.tag));
    const before = await counters(session, shape);
    // Locked first: the statement behind it sees the rows as they are then, and nobody changes them under it.
    await session.one(
      `select count(*) from (select from ${shape.quoted} t where ${within} and (\n${rule.bad}\n) for update) x`,
    );
    const [seen] = await session.one<Seen>(statement(work, rule, shape, within));
    const done = { found: Number(seen?.found), changed: Number(seen?.changed), still: Number(seen?.still) };
    const wrote = written(before, await counters(session, shape));
    const why = wrongWith(done, wrote.here);
    if (why !== null) return { why, again: done.changed < done.found };
    await session.query(fenceGuard(work.rollout, work.tag));
    await session.query('commit');
    return { rows: done.changed, beside: wrote.beside };
  } catch (error) {
    const said = serverError(error);
    if (said?.code === FENCED_STATE) fail('FENCED', `a later attempt has taken over before ${rule.name}`);
    // What the rule itself says wrong; a session that was ended is no such thing.
    if (said && !/^(?:57|08|SG)/u.test(said.code))
      return { why: `${said.message} (${said.code})`, again: AGAIN.includes(said.code) };
    throw error;
  } finally {
    await session.query('rollback').catch(() => undefined);
  }
}

interface Seen {
  readonly found: string;
  readonly changed: string;
  readonly still: string;
}

/**
 * The rule's own words stand alone in their lines: a comment in them ends there. Our names have a space, so
 * that no column of the table can take their place; a row is found again by partition and place, which are
 * steady because it is locked.
 */
function statement(work: Work, rule: RowRule, shape: TableShape, within: string): string {
  return `with "soakgate found" as materialized (
      select t.tableoid as "soakgate part", t.ctid as "soakgate place", ${keyText(shape)} as "soakgate key",
        ${rowImage(shape)} as "soakgate before"
      from ${shape.quoted} t where ${within} and (
${rule.bad}
      )),
    "soakgate fixed" as (
      update ${shape.quoted} t set
${rule.fix}
      from "soakgate found" where t.tableoid = "soakgate part" and t.ctid = "soakgate place" and ${within}
      returning "soakgate key", "soakgate before", ${rowImage(shape)} as "soakgate after",
        nullif(${keyText(shape)}, "soakgate key") as "soakgate key after", t.tableoid::regclass::text as "soakgate now", (
${rule.bad}
        ) is true as "soakgate still"),
    "soakgate kept" as (
      insert into ${imageTable(work)} (place, part, rule, key, key_after, before, after)
      select ${quoteText(shape.name)}, "soakgate now", ${quoteText(rule.name)}, "soakgate key",
        "soakgate key after", "soakgate before", "soakgate after" from "soakgate fixed")
    select (select count(*) from "soakgate found") as found, count(*) as changed,
      count(*) filter (where "soakgate still") as still from "soakgate fixed"`;
}

/** Table → rows written, and whether it is the rule's own or a part of it. */
type Counters = ReadonlyMap<
  string,
  { readonly n: readonly [number, number, number]; readonly here: boolean }
>;

/** What this session has written so far, by its own counters; the transaction's part is a difference of two. */
async function counters(session: Session, shape: TableShape): Promise<Counters> {
  const rows = await session.query<{ name: string; n: string[]; here: boolean }>(
    `with recursive parts as (
       select to_regclass($1)::oid as oid union all
       select i.inhrelid from pg_catalog.pg_inherits i join parts p on p.oid = i.inhparent)
     select schemaname || '.' || relname as name, array[n_tup_ins, n_tup_upd, n_tup_del]::text[] as n,
       relid in (select oid from parts) as here
     from pg_catalog.pg_stat_xact_user_tables
     where schemaname <> 'soakgate' and n_tup_ins + n_tup_upd + n_tup_del > 0`,
    [shape.quoted],
  );
  return new Map(
    rows.map(({ name, n, here }) => [name, { n: n.map(Number) as [number, number, number], here }]),
  );
}

interface Written {
  /** Rows of the table itself, in whichever partition. */
  readonly here: number;
  readonly beside: Readonly<Record<string, number>>;
}

function written(before: Counters, after: Counters): Written {
  const beside: Record<string, number> = {};
  const own = [0, 0, 0];
  for (const [name, { n, here }] of after) {
    const more = n.map((value, at) => value - (before.get(name)?.n[at] ?? 0));
    if (here) for (const at of [0, 1, 2]) own[at]! += more[at]!;
    else if (more.some((value) => value > 0)) beside[name] = more.reduce((sum, value) => sum + value, 0);
  }
  // A row that moves to another partition is removed there and added here.
  return { here: own[1]! + Math.max(own[0]!, own[2]!), beside };
}

function wrongWith(
  { found, changed, still }: { found: number; changed: number; still: number },
  here: number,
): string | null {
  const nothing = 'none of these rows was changed';
  if (changed !== found)
    return `${count(found, 'row')} found, ${changed} changed: a trigger or a rule keeps the others; ${nothing}`;
  if (still > 0) return `${still} of ${count(found, 'row')} would still be bad after the fix; ${nothing}`;
  if (here > changed)
    return (
      `${count(found, 'row')} found, but ${here} rows of the table would change: a trigger writes to ` +
      `others; ${nothing}`
    );
  return null;
}
