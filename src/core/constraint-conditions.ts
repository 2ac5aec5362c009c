// What a violating row is, for each kind of constraint: a condition on the rows of its table, with
// PostgreSQL's own rules for NULL.
import { type Name, parts, read, type Reader } from './sql-reader.ts';
import { isMark, type Token } from './sql-tokens.ts';

export interface Place {
  readonly table: Name;
  readonly only: boolean;
}

/** As it stands after FROM. */
export const fromOf = ({ table, only }: Place): string => (only ? `only ${table.sql}` : table.sql);

/** Only FALSE violates a check; NULL passes. */
export function checkCondition(reader: Reader): string | undefined {
  const group = reader.group();
  return group && `not ${group.sql}`;
}

export function notNullCondition(reader: Reader): string | undefined {
  const column = reader.name();
  return column && !column.qualified ? `${column.sql} is null` : undefined;
}

/** Every row that shares its key counts, not only the second. */
export function uniqueCondition(text: string, place: Place, reader: Reader): string | undefined {
  const distinct = nullsAreDistinct(reader);
  const columns = columnsOf(text, reader);
  return columns && shared(place, columns, distinct ? columns.map((column) => `${column} is not null`) : []);
}

export function primaryKeyCondition(text: string, place: Place, reader: Reader): string | undefined {
  const columns = columnsOf(text, reader);
  return (
    columns &&
    `(${columns.map((column) => `${column} is null`).join(' or ')} or ${shared(place, columns, [])})`
  );
}

/** From the name of the table on: keys, NULLS NOT DISTINCT and WHERE. */
export function indexCondition(text: string, place: Place, reader: Reader): string | undefined {
  if (reader.words('using')) reader.skip();
  const keys = reader.group();
  const expressions = keys && parts(keys.inside).map((part) => indexKey(read(text, part)));
  if (!expressions?.every((expression) => expression !== undefined)) return undefined;
  let distinct = true;
  for (;;) {
    if (reader.words('nulls', 'not', 'distinct')) distinct = false;
    else if (reader.words('include') || reader.words('with') || reader.words('tablespace')) reader.skip();
    else if (!reader.words('nulls', 'distinct')) break;
  }
  const filtered = reader.words('where');
  const rest = reader.rest();
  if (filtered !== rest.length > 0 || rest.some((token) => isMark(token, ';'))) return undefined;
  const known = distinct ? expressions.map((expression) => `${expression} is not null`) : [];
  return shared(place, expressions, filtered ? [...known, `(${reader.sql(rest)})`] : known);
}

export interface Reference {
  readonly condition: string;
  readonly referenced: Name;
}

/** MATCH SIMPLE: a key with a NULL in it refers to nothing. */
export function foreignKeyCondition(text: string, { table }: Place, reader: Reader): Reference | undefined {
  const columns = columnsOf(text, reader);
  const referenced = reader.words('references') ? reader.name() : undefined;
  const keys = columnsOf(text, reader);
  if (!columns || !referenced || keys?.length !== columns.length) return undefined;
  if (reader.words('match') && !reader.words('simple') && columns.length > 1) return undefined;
  const mine = columns.map((column) => `${table.last}.${column}`);
  const same = mine.map((column, at) => `${ALIAS}.${keys[at]} = ${column}`).join(' and ');
  const known = mine.map((column) => `${column} is not null`).join(' and ');
  return {
    referenced,
    condition: `${known} and not exists (select from ${referenced.sql} ${ALIAS} where ${same})`,
  };
}

/** No table is called that, so none hides it. */
const ALIAS = '"soakgate referenced"';

function shared(place: Place, keys: readonly string[], filters: readonly string[]): string {
  const where = filters.length > 0 ? ` where ${filters.join(' and ')}` : '';
  const copies = `count(*) over (partition by ${keys.join(', ')}) as copies`;
  const counted = `select tableoid, ctid, ${copies} from ${fromOf(place)}${where}`;
  return `(tableoid, ctid) in (select tableoid, ctid from (${counted}) counted where copies > 1)`;
}

function nullsAreDistinct(reader: Reader): boolean {
  if (reader.words('nulls', 'not', 'distinct')) return false;
  reader.words('nulls', 'distinct');
  return true;
}

function columnsOf(text: string, reader: Reader): readonly string[] | undefined {
  const columns = parts(reader.group()?.inside ?? []).map((part) => onlyName(text, part));
  return columns.every((column) => column !== undefined) ? columns : undefined;
}

const onlyName = (text: string, part: readonly Token[]): string | undefined =>
  part.length === 1 ? read(text, part).name()?.sql : undefined;

/**
 * A column, a call or an expression in brackets; what follows it orders the index and changes nothing about
 * what is equal.
 */
function indexKey(reader: Reader): string | undefined {
  const bracketed = reader.group();
  const name = bracketed ? undefined : reader.name();
  const call = name && reader.group();
  if (!bracketed && (!name || (name.qualified && !call))) return undefined;
  let key = bracketed?.sql ?? `${name?.sql}${call?.sql ?? ''}`;
  if (reader.words('collate')) key += ` collate ${reader.name()?.sql ?? ''}`;
  if (reader.rest()[0]?.value.endsWith('_ops')) reader.skip();
  if (!reader.words('asc')) reader.words('desc');
  if (reader.words('nulls')) reader.skip();
  return reader.rest().length === 0 ? key : undefined;
}
