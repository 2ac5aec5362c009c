// One rule's fix: the rows that the rule finds are found once, by key; then set by set exactly those that it
// still finds are changed, or none of the set.
import { count } from '../../src/core/count.ts';
import { fail } from '../../src/core/failures.ts';
import type { RowRule } from '../../src/core/plan/steps/data.ts';
import { FENCED_STATE, fenceGuard } from '../../src/io/fence.ts';
import { quoteText, serverError, type Session } from '../../src/io/postgres.ts';
import { foundSets } from './found-sets.ts';
import { imageTable } from './image-table.ts';
import { keyText, rowImage, type TableShape } from './table-shape.ts';
import type { Work } from '../frame/step-context.ts';

/** Read by place, where the planner would hash the whole table; each partition has such places, so there by key. */
const PLACES = `t.ctid = any (array(select "soakgate place" from "soakgate found"))`;
/** A row that somebody changes between our look and our lock is looked at again. */
const TRIES = 5;
/** Serialisation failure, deadlock, a lock that was not given: the same transaction may go through now. */
const AGAIN = ['40001', '40P01', '55P03'];
const LOCK_TIMEOUT = '10s';

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
  try {
    for await (const set of foundSets(session, rule, shape)) {
      work.signal.throwIfAborted();
      const done = await fixSet(session, work, rule, shape, set);
      if (typeof done === 'string') return { rows, beside, stopped: done };
      rows += done.rows;
      for (const [table, n] of Object.entries(done.beside)) beside[table] = (beside[table] ?? 0) + n;
      work.progress(`${rule.name}: ${count(rows, 'row')}`);
    }
    return { rows, beside, stopped: null };
  } catch (error) {
    return { rows, beside, stopped: ruleSays(error).why };
  }
}

/** What the rule itself says wrong. @throws `error` when it says nothing of the rule, e.g. of an ended session. */
function ruleSays(error: unknown): { readonly why: string; readonly again: boolean } {
  const said = serverError(error);
  if (!said || /^(?:57|08|SG)/u.test(said.code)) throw error;
  return { why: `${said.message} (${said.code})`, again: AGAIN.includes(said.code) };
}

type Done = Pick<Fixed, 'rows' | 'beside'>;

/** All rows of the set that the rule still finds are changed, or none; then the reason. */
async function fixSet(
  session: Session,
  work: Work,
  rule: RowRule,
  shape: TableShape,
  set: string,
): Promise<Done | string> {
  for (let tries = 1; ; tries += 1) {
    const done = await trySet(session, work, rule, shape, { set, lockFirst: tries > 1 });
    if (!('why' in done)) return done;
    if (!done.again || tries === TRIES) return done.why;
  }
}

async function trySet(
  session: Session,
  work: Work,
  rule: RowRule,
  shape: TableShape,
  { set, lockFirst }: { readonly set: string; readonly lockFirst: boolean },
): Promise<Done | { readonly why: string; readonly again: boolean }> {
  await session.query('begin');
  try {
    await session.query(fenceGuard(work.rollout, work.tag));
    await session.query(`set local lock_timeout = '${LOCK_TIMEOUT}'`);
    const before = await counters(session, shape);
    // The statement behind it sees the rows as they are once they are locked.
    if (lockFirst)
      await session.one(
        `select count(*) from (select from ${shape.quoted} t where ${set} and (\n${rule.bad}\n) for update of t) x`,
      );
    const [seen] = await session.one<Seen>(statement(work, rule, shape, set));
    // A deferred trigger acts now, so that what it writes is counted.
    await session.query('set constraints all immediate');
    const done = { found: Number(seen?.found), changed: Number(seen?.changed), still: Number(seen?.still) };
    const wrote = written(before, await counters(session, shape));
    const why = wrongWith(done, wrote.here);
    if (why !== null) return { why, again: done.changed < done.found };
    await session.query(fenceGuard(work.rollout, work.tag));
    await session.query('commit');
    return { rows: done.changed, beside: wrote.beside };
  } catch (error) {
    if (serverError(error)?.code === FENCED_STATE)
      fail('FENCED', `a later attempt has taken over before ${rule.name}`);
    return ruleSays(error);
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
 * steady because it is locked. One that somebody changes in the moment before its lock is found as it is then,
 * but not changed, and the set is tried again.
 */
function statement(work: Work, rule: RowRule, shape: TableShape, set: string): string {
  return `with "soakgate found" as materialized (
      select t.tableoid as "soakgate part", t.ctid as "soakgate place", ${keyText(shape)} as "soakgate key",
        ${rowImage(shape)}::text as "soakgate before"
      from ${shape.quoted} t where ${set} and (
${rule.bad}
      ) for update of t),
    "soakgate fixed" as (
      update ${shape.quoted} t set
${rule.fix}
      from "soakgate found" where t.tableoid = "soakgate part" and t.ctid = "soakgate place" and ${
        shape.kind === 'p' ? set : PLACES
      }
      returning "soakgate key", "soakgate before", ${rowImage(shape)}::text as "soakgate after",
        nullif(${keyText(shape)} collate "C", "soakgate key") as "soakgate key after", (select quote_ident(n.nspname) || '.' || quote_ident(c.relname)
          from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
          where c.oid = t.tableoid) as "soakgate now", (
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
