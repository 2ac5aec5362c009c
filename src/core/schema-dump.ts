// The text of `pg_dump --schema-only` as objects that can be compared: one for each entry of the archive, and
// for a table one for each column and constraint within.

/** `table public.orders`, `column public.orders.total` → what pg_dump writes of it. */
export type Schema = Readonly<Record<string, string>>;

const HEADER = /^--\n-- Name: (.*); Type: ([A-Z ]+); Schema: (.*?); Owner: (.*)\n--$/gmu;
/** What stands between entries, and holds for those behind it where it is not the default. */
const STATE = /^SET (default_tablespace|default_table_access_method) = (.*);$/gmu;
const DEFAULTS: Readonly<Record<string, string>> = {
  default_tablespace: "''",
  default_table_access_method: 'heap',
};
/** A random word in each dump, which keeps psql from running what stands in data. */
const RESTRICT = /^\\(?:un)?restrict \S+$/gmu;

/** Takes a dump apart. Entries of one name are one object; nothing of the text is lost but comments' headers. */
export function readSchemaDump(dump: string): Schema {
  const objects: Record<string, string> = {};
  const put = (name: string, text: string) => {
    objects[name] = objects[name] === undefined ? text : `${objects[name]}\n${text}`;
  };
  const state: Record<string, string> = {};
  const heads = [...dump.replace(RESTRICT, '').matchAll(HEADER)];
  const text = dump.replace(RESTRICT, '');
  for (const [at, head] of heads.entries()) {
    const [whole, name, type, schema, owner] = head as unknown as [string, string, string, string, string];
    const end = heads[at + 1]?.index ?? text.length;
    const body = text.slice(head.index + whole.length, end);
    const standing = Object.entries(state).filter(([key, value]) => DEFAULTS[key] !== value);
    for (const [key, value] of entryObjects({ name, type, schema, owner }, body.replace(STATE, '').trim()))
      put(key, [value, ...(OWNS_STORAGE.test(type) ? standing.map(([k, v]) => `${k} ${v}`) : [])].join('\n'));
    for (const [, key, value] of body.matchAll(STATE)) state[key!] = value!;
  }
  return objects;
}

const OWNS_STORAGE = /^(?:TABLE|INDEX|CONSTRAINT|MATERIALIZED VIEW)$/u;

interface Entry {
  readonly name: string;
  readonly type: string;
  /** `-` where the object has none. */
  readonly schema: string;
  readonly owner: string;
}

/** Types whose name is `table object`. */
const OF_TABLE = /^(?:CONSTRAINT|FK CONSTRAINT|CHECK CONSTRAINT|TRIGGER|RULE|POLICY|DEFAULT)$/u;
const END = '-- PostgreSQL database dump complete';

function entryObjects(entry: Entry, body: string): readonly (readonly [string, string])[] {
  const { name, type, owner } = entry;
  const schema = entry.schema === '-' ? '' : `${entry.schema}.`;
  const text = body.replace(`--\n${END}\n--`, '').trim();
  if (type === 'TABLE') return tableObjects(`${schema}${name}`, text);
  if (type === 'ACL') return [[`grants on ${inSchema(name, schema)}`, sortedLines(text)]];
  if (type === 'COMMENT' || type === 'SECURITY LABEL')
    return [[`${type.toLowerCase()} on ${inSchema(name, schema)}`, text]];
  if (type === 'DEFAULT ACL')
    return [[`${name.toLowerCase()} of ${owner} ${schema}`.trim(), sortedLines(text)]];
  if (OF_TABLE.test(type)) {
    const kind = type.replace(/^(?:FK|CHECK) /u, '').toLowerCase();
    return [[`${kind} ${schema}${name.replace(' ', '.')}`, tidy(text.replace(ADDED, ''))]];
  }
  return [[`${type.toLowerCase()} ${schema}${name}`, tidy(text)]];
}

/** One statement has no semicolon, several have one line's break between them; options are a set. */
function tidy(text: string): string {
  const lines = text.replace(/;\n{2,}(?=ALTER )/gu, ';\n').replace(/(?<!;[\s\S]*);$/u, '');
  return lines.replace(
    OPTIONS,
    (_, list: string) =>
      `WITH (${list
        .split(/, (?=[\w.]+=)/u)
        .toSorted()
        .join(', ')})`,
  );
}
const OPTIONS = /\bWITH \(((?:[\w.]+='[^']*'(?:, )?)+)\)/gu;

/** `ALTER TABLE … ADD CONSTRAINT name ` in front of a constraint, so that it reads as within its table. */
const ADDED = /^ALTER TABLE (?:ONLY )?\S+\s+ADD CONSTRAINT (?:"(?:[^"]|"")*"|\S+) /u;

/** `TABLE orders` → `table public.orders`. */
const inSchema = (name: string, schema: string): string => {
  const [, kind = '', rest = name] = /^([A-Z][A-Z ]*) (.*)$/su.exec(name) ?? [];
  return `${kind.toLowerCase()} ${schema}${rest}`.trim();
};

/** Grants are a set: in what order they were given says nothing. */
const sortedLines = (text: string): string =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .toSorted()
    .join('\n');

/** The object that holds the order of a table's columns, as names. */
export const COLUMNS_OF = 'columns of ';

/** The table itself, the order of its columns, and each column and constraint. */
function tableObjects(name: string, text: string): readonly (readonly [string, string])[] {
  const open = text.indexOf('(\n');
  const parts = text.startsWith('CREATE ') && open > 0 ? topLevelParts(text, open) : null;
  if (!parts) return [[`table ${name}`, text]];
  const objects: (readonly [string, string])[] = [];
  const columns: string[] = [];
  for (const item of parts.items) {
    const [, constraint, rule] = /^CONSTRAINT ("(?:[^"]|"")*"|\S+) (.*)$/su.exec(item) ?? [];
    const [, column, definition] = /^("(?:[^"]|"")*"|\S+)(?: (.*))?$/su.exec(item) ?? [];
    if (constraint !== undefined) objects.push([`constraint ${name}.${unquoted(constraint)}`, tidy(rule!)]);
    else {
      columns.push(column ?? item);
      objects.push([`column ${name}.${unquoted(column ?? item)}`, definition ?? '']);
    }
  }
  const head = `${text.slice(0, open)}(…)${text.slice(parts.end)}`;
  return [
    [`table ${name}`, tidy(head.replace(/\n{2,}/gu, '\n'))],
    [`${COLUMNS_OF}${name}`, columns.join(', ')],
    ...objects,
  ];
}

const unquoted = (name: string): string =>
  name.startsWith('"') && !/[."]/u.test(name.slice(1, -1)) ? name.slice(1, -1) : name;

/** What stands between the parenthesis at `open` and its own end, at its commas; null where it has no end. */
function topLevelParts(text: string, open: number): { items: readonly string[]; end: number } | null {
  const items: string[] = [];
  let [depth, from] = [0, open + 1];
  for (const { 0: token, index } of text.matchAll(TOKENS)) {
    if (index < open) continue;
    if (token === '(' || token === '[') depth += 1;
    else if (token === ',' && depth === 1) {
      items.push(text.slice(from, index).trim());
      from = index + 1;
    } else if (token === ')' || token === ']') {
      depth -= 1;
      if (depth > 0) continue;
      const last = text.slice(from, index).trim();
      return { items: last === '' ? items : [...items, last], end: index + 1 };
    }
  }
  return null;
}

/** Literals, quoted names, and what opens, parts and closes. */
const TOKENS = /'(?:[^']|'')*'|"(?:[^"]|"")*"|[()[\],]/gu;
