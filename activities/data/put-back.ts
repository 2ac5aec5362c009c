// The undo of a fix: set by set, the newest first, and only rows that still stand as the fix left them.
import { fenceGuard } from '../../src/io/fence.ts';
import { quoteName, quoteText, serverError, type Session } from '../../src/io/postgres.ts';
import { imageLines } from './before-images.ts';
import { rowImage, type TableShape, tableShape } from './table-shape.ts';
import type { Work } from '../frame/step-context.ts';

export const IMAGES = 'pg_temp."soakgate images"';
/** What became of an image; apart from it, because an image is wide and an outcome is not. */
export const OUTCOMES = 'pg_temp."soakgate outcomes"';
const STANDING = 'pg_temp."soakgate standing"';
const LINES = 1_000;
const MOST_CHARACTERS = 8_000_000;
const STRETCH = 20_000n;
/** Constraints, checks of views and triggers that raise: the row cannot be as it was, the others can. */
const REFUSED = /^(?:23|44|P0|22)/u;

export interface PutBack {
  readonly images: number;
  /** Rows that stand as before the fix now. */
  readonly back: number;
  /** Rows that somebody changed since the fix; they are left as they are. */
  readonly kept: number;
  /** Rows that a constraint or a trigger keeps away. */
  readonly waiting: number;
  /** Rows that were put back and of which a trigger made something else. */
  readonly altered: number;
}

/** Rows that stand as they were before the fix are put back already, whoever did it. */
export async function putAllBack(session: Session, work: Work): Promise<PutBack> {
  await loadImages(session, work);
  const groups = await session.query<Group>(
    `select place, rule, what, min(id)::text as low, max(id)::text as high from ${IMAGES}
      group by 1, 2, 3 order by max(id) desc`,
  );
  // What a foreign key keeps away waits for the row that it points to.
  for (let moved = true; moved;) {
    moved = false;
    for (const group of groups) moved = (await putGroupBack(session, work, group)) || moved;
    const [waiting] = await session.query(`select from ${OUTCOMES} where outcome = 'waits' limit 1`);
    moved &&= waiting !== undefined;
  }
  const [row] = await session.query<Record<keyof PutBack, string>>(
    `select count(*) as images, count(*) filter (where outcome = 'back') as back,
      count(*) filter (where outcome = 'changed since') as kept,
      count(*) filter (where outcome = 'waits') as waiting,
      count(*) filter (where altered is not null and outcome <> 'waits') as altered from ${IMAGES} left join ${OUTCOMES} using (id)`,
  );
  const n = (what: keyof PutBack) => Number(row?.[what] ?? 0);
  return {
    images: n('images'),
    back: n('back'),
    kept: n('kept'),
    waiting: n('waiting'),
    altered: n('altered'),
  };
}

type What = 'added' | 'removed' | 'changed';

interface Group {
  readonly place: string;
  readonly rule: string;
  readonly what: What;
  readonly low: string;
  readonly high: string;
}

/** The file's lines as rows: numbers, texts and keys stay the server's. */
async function loadImages(session: Session, work: Work): Promise<void> {
  await session.query(`drop table if exists ${IMAGES}, ${OUTCOMES}`);
  await session.query(
    `create temp table "soakgate images" (id bigint primary key, place text not null, part text,
      rule text not null, key text not null, before jsonb, after jsonb,
      what text generated always as (case when before is null then 'added' when after is null then 'removed'
        else 'changed' end) stored);
     create temp table "soakgate outcomes" (id bigint primary key, outcome text not null, altered text, now text)`,
  );
  let lines: string[] = [];
  const flush = async () => {
    if (lines.length === 0) return;
    await session.query(
      `insert into ${IMAGES} (id, place, part, rule, key, before, after)
        select (line->>'id')::bigint, line->>'table', line->>'part', line->>'rule', line->>'key',
          nullif(line->'before', 'null'), nullif(line->'after', 'null')
        from (select line::jsonb from unnest(string_to_array($1, chr(10))) line offset 0) l`,
      [lines.join('\n')],
    );
    lines = [];
  };
  let size = 0;
  for await (const line of imageLines(work)) {
    size += line.length;
    if (lines.push(line) < LINES && size < MOST_CHARACTERS) continue;
    await flush();
    size = 0;
  }
  await flush();
  await session.query(`analyze ${IMAGES} (id, place, rule, what)`);
}

/** Whether anything was settled. */
async function putGroupBack(session: Session, work: Work, group: Group): Promise<boolean> {
  const shape = await tableShape(session, group.place);
  const of = `i.place = ${quoteText(group.place)} and i.rule = ${quoteText(group.rule)}
    and i.what = ${quoteText(group.what)}
    and not exists (select from ${OUTCOMES} o where o.id = i.id and o.outcome <> 'waits')`;
  if (!shape || shape.key.length === 0) {
    await session.query(keeping(`select i.id, 'changed since', null, null from ${IMAGES} i where ${of}`));
    return false;
  }
  let moved = false;
  for (let high = BigInt(group.high); high >= BigInt(group.low); high -= STRETCH) {
    work.signal.throwIfAborted();
    work.progress(`putting rows of ${group.place} back`);
    const set = `${of} and i.id <= ${high} and i.id > ${high - STRETCH}`;
    const settled = await putSetBack(session, work, shape, group.what, set);
    const done =
      typeof settled === 'number' ? settled : await oneByOne(session, work, shape, group.what, set);
    moved = done > 0 || moved;
  }
  return moved;
}

/** Something keeps one row of the set away: each is tried alone. */
async function oneByOne(
  session: Session,
  work: Work,
  shape: TableShape,
  what: What,
  set: string,
): Promise<number> {
  const ids = await session.query<{ id: string }>(
    `select i.id::text from ${IMAGES} i where ${set} order by i.id desc`,
  );
  let settled = 0;
  for (const { id } of ids) {
    const done = await putSetBack(session, work, shape, what, `i.id = ${id}`);
    if (typeof done === 'number') settled += done;
    else await session.query(keeping(`values (${id}, 'waits', ${quoteText(done)}, null)`));
  }
  return settled;
}

/** How many images of the set were settled; or what keeps one away, then none was. */
async function putSetBack(
  session: Session,
  work: Work,
  shape: TableShape,
  what: What,
  set: string,
): Promise<number | string> {
  await session.query('begin');
  try {
    await session.query(fenceGuard(work.rollout, work.tag));
    await session.query(
      `create temp table "soakgate standing" on commit drop as
        select i.id, t.tableoid as part, t.ctid as place, ${rowImage(shape)} as now
        from ${shape.quoted} t join ${IMAGES} i on ${sameKey(shape, 'coalesce(i.after, i.before)')}
        where ${set} for update of t`,
    );
    const write = await writing(session, shape, what, set);
    if (write !== null) await session.query(write);
    // A deferred trigger acts now, so that what it makes of the rows is seen.
    await session.query('set constraints all immediate');
    const [settled] = await session.query<{ n: string }>(judging(shape, set));
    await session.query(fenceGuard(work.rollout, work.tag));
    await session.query('commit');
    return Number(settled?.n ?? 0);
  } catch (error) {
    const said = serverError(error);
    if (said && REFUSED.test(said.code)) return `${said.message} (${said.code})`;
    throw error;
  } finally {
    await session.query('rollback').catch(() => undefined);
  }
}

/** The row of the image; in a table with heirs, which may hold one key twice, in the heir it was in. */
function sameKey({ key, kind }: TableShape, image: string): string {
  const columns = key.map(({ name, type }) => `t.${quoteName(name)} = ${value(image, name, type)}`);
  return [...columns, ...(kind === 'r' ? ['(i.part is null or t.tableoid = to_regclass(i.part))'] : [])].join(
    ' and ',
  );
}

const value = (image: string, name: string, type: string): string =>
  `(${image}->>${quoteText(name)})::${type}`;

const STANDS = `from ${STANDING} s join ${IMAGES} i using (id)
  where t.tableoid = s.part and t.ctid = s.place and s.now = i.after`;

/** Only rows that stand as the fix left them are written; null where no column of the set differs. */
async function writing(session: Session, shape: TableShape, what: What, set: string): Promise<string | null> {
  if (what === 'added') return `delete from ${shape.quoted} t using ${STANDS.replace('from ', '')}`;
  const settable = shape.columns.filter((column) => column.settable);
  if (what === 'removed')
    return `insert into ${shape.quoted} (${settable.map(({ name }) => quoteName(name)).join(', ')})
      overriding system value select ${settable.map(({ name, type }) => value('i.before', name, type)).join(', ')}
      from ${IMAGES} i where ${set} and not exists (select from ${STANDING} s where s.id = i.id)`;
  const differing = await session.query<{ name: string }>(
    `select distinct b.key as name from ${IMAGES} i cross join jsonb_each_text(i.before) b
      where ${set} and b.value is distinct from i.after->>b.key`,
  );
  const names = new Set(differing.map(({ name }) => name));
  const columns = settable.filter(({ name }) => names.has(name));
  if (columns.length === 0) return null;
  return `update ${shape.quoted} t set
    ${columns.map(({ name, type }) => `${quoteName(name)} = ${value('i.before', name, type)}`).join(', ')}
    ${STANDS}`;
}

/** What became of each image: asked of the row as it is behind the write. */
function judging(shape: TableShape, set: string): string {
  return `with seen as (
      select i.id, s.now as was, case when t.ctid is not null then ${rowImage(shape)} end as now
      from ${IMAGES} i left join ${STANDING} s using (id)
      left join ${shape.quoted} t on ${sameKey(shape, 'i.before')} where ${set}),
    settled as (
      ${keeping(`select i.id,
        case when was is not distinct from i.after or was is not distinct from i.before then 'back'
          else 'changed since' end,
        case when was is not distinct from i.after and seen.now is distinct from i.before then
          coalesce((select string_agg(b.key, ', ' order by b.key) from jsonb_each_text(i.before) b
            where b.value is distinct from seen.now->>b.key), 'the row') end, md5(seen.now::text)
        from seen join ${IMAGES} i using (id)`)} returning 1)
    select count(*) as n from settled`;
}

/** `rows` are id, outcome, altered, now. */
const keeping = (rows: string): string =>
  `insert into ${OUTCOMES} as kept (id, outcome, altered, now) ${rows} on conflict (id) do update
    set outcome = excluded.outcome, altered = excluded.altered, now = excluded.now`;
