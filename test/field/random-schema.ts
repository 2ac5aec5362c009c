// Random schemas, random changes and random ways back, all from one seed: whether a comparison sees what happened is
// judged by pg_dump's text and md5 of the rows alone.

/** Numbers from one seed, the same each time (mulberry32). */
export function randomFrom(seed: number): { below(n: number): number; one<T>(list: readonly T[]): T } {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
  return { below: (n) => next() % n, one: (list) => list[next() % list.length]! };
}
export type Random = ReturnType<typeof randomFrom>;

const TYPES = [
  'int',
  'bigint',
  'text',
  'numeric(12,3)',
  'timestamptz',
  'jsonb',
  'boolean',
  'varchar(20)',
  'text[]',
];
const VALUES: Readonly<Record<string, string>> = {
  int: 'n',
  bigint: '9007199254740993 + n',
  text: "'row ' || n",
  'numeric(12,3)': 'n / 7.0',
  timestamptz: "timestamptz '2020-01-01 UTC' + n * interval '1 hour'",
  jsonb: `jsonb_build_object('n', n, 'x', 1.50)`,
  boolean: 'n % 2 = 0',
  'varchar(20)': "'v' || n",
  'text[]': "array['a', n::text]",
};
/** Names that have to be quoted, and such as shadow what SQL itself calls by a name. */
const NAMES = ['t', 'name', 'value', 'Select', 'a b', 'row', 'ctid2', 'x"y', 'id2', 'é'];
const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

export interface Table {
  readonly name: string;
  readonly keyed: boolean;
  /** Quoted names. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

/** Two to four tables, with rows and some of what stands around tables. */
export function randomSchema(random: Random): { readonly sql: string; readonly tables: readonly Table[] } {
  const tables = Array.from({ length: 2 + random.below(3) }, (_, at): Table => {
    const first = random.below(NAMES.length);
    return {
      name: `r.${quoted(random.one(['orders', 'T x', 'user', 'log']) + at)}`,
      keyed: random.below(5) > 0,
      columns: Array.from({ length: 2 + random.below(3) }, (_, place) => ({
        name: quoted(NAMES[(first + place) % NAMES.length]!),
        type: random.one(TYPES),
      })),
    };
  });
  const statements = tables.flatMap(({ name, keyed, columns }, at) => [
    `create table ${name} (id int ${keyed ? 'primary key' : 'not null'}, ` +
      `${columns.map((column) => `${column.name} ${column.type}`).join(', ')})`,
    `insert into ${name} select n, ${columns.map(({ type }) => VALUES[type]).join(', ')} ` +
      `from generate_series(1, ${1 + random.below(30)}) n`,
    ...(random.below(2) ? [`create index on ${name} (${random.one(columns).name})`] : []),
    ...(random.below(3) ? [] : [`create view r.v${at} as select id, ${columns[0]!.name} from ${name}`]),
    ...(random.below(3) ? [] : [`grant select on ${name} to reader`]),
    ...(random.below(3) ? [] : [`comment on table ${name} is 'of old'`]),
    ...(random.below(4) ? [] : [`alter table ${name} add check (id > 0)`]),
  ]);
  return {
    sql: [
      "create schema r; create sequence r.s; create type r.mood as enum ('sad', 'glad')",
      "create function r.f(int) returns int language sql as 'select $1'",
      ...statements,
    ].join(';\n'),
    tables,
  };
}

/** A change and what takes it back; where nothing does, `back` does nothing. */
export interface Pair {
  readonly change: string;
  readonly back: string;
}

/** One of all kinds of change that the schema allows. */
export function randomChange(random: Random, tables: readonly Table[]): Pair {
  const { name, columns } = random.one(tables);
  const column = random.one(columns);
  const on = `alter table ${name}`;
  const at = `${on} alter column ${column.name}`;
  const kinds: readonly Pair[] = [
    { change: `${on} add column extra int default 3`, back: `${on} drop column extra` },
    { change: `${at} set default null`, back: `${at} drop default` },
    { change: `${at} set not null`, back: `${at} drop not null` },
    { change: `${on} add constraint c check (id < 1000)`, back: `${on} drop constraint c` },
    { change: `${on} add constraint u unique (id)`, back: `${on} drop constraint u` },
    { change: `create index i on ${name} (id desc)`, back: 'drop index r.i' },
    {
      change: `comment on column ${name}.${column.name} is 'said'`,
      back: `comment on column ${name}.${column.name} is null`,
    },
    { change: `grant update on ${name} to reader`, back: `revoke update on ${name} from reader` },
    { change: `grant select (id) on ${name} to writer`, back: `revoke select (id) on ${name} from writer` },
    { change: `${on} owner to writer`, back: `${on} owner to postgres` },
    { change: `${on} set (fillfactor = 70)`, back: `${on} reset (fillfactor)` },
    { change: `${on} enable row level security`, back: `${on} disable row level security` },
    { change: `create policy p on ${name} to reader using (id = 1)`, back: `drop policy p on ${name}` },
    {
      change: `${on} rename column ${column.name} to renamed`,
      back: `${on} rename column renamed to ${column.name}`,
    },
    { change: `${at} set statistics 77`, back: `${at} set statistics -1` },
    { change: `${on} replica identity full`, back: `${on} replica identity default` },
    { change: `create statistics r.st on id, ${column.name} from ${name}`, back: 'drop statistics r.st' },
    { change: `create rule q as on delete to ${name} do also nothing`, back: `drop rule q on ${name}` },
    { change: `create view r.w as select id from ${name}`, back: 'drop view r.w' },
    { change: `create materialized view r.m as select id from ${name}`, back: 'drop materialized view r.m' },
    { change: `create table r.child () inherits (${name})`, back: 'drop table r.child' },
    {
      change: "create or replace function r.f(int) returns int language sql as 'select $1 + 1'",
      back: "create or replace function r.f(int) returns int language sql as 'select $1'",
    },
    { change: "alter type r.mood add value 'mad'", back: 'select 1' },
    {
      change: "alter type r.mood rename value 'sad' to 'sorry'",
      back: "alter type r.mood rename value 'sorry' to 'sad'",
    },
    { change: 'alter sequence r.s increment 5', back: 'alter sequence r.s increment 1' },
    {
      change: 'alter default privileges in schema r grant select on tables to reader',
      back: 'alter default privileges in schema r revoke select on tables from reader',
    },
    { change: 'create domain r.d as int check (value > 1)', back: 'drop domain r.d' },
    { change: 'grant usage on schema r to reader', back: 'revoke usage on schema r from reader' },
    { change: `update ${name} set id = id + 500`, back: `update ${name} set id = id - 500` },
    { change: `update ${name} set ${column.name} = null where id = 1`, back: 'select 1' },
    { change: `delete from ${name} where id = 1`, back: 'select 1' },
    { change: `insert into ${name} (id) values (900)`, back: `delete from ${name} where id = 900` },
    { change: `insert into ${name} select * from ${name}`, back: 'select 1' },
    { change: `update ${name} set id = id`, back: 'select 1' },
    { change: `truncate ${name}`, back: 'select 1' },
  ];
  return random.one(kinds);
}
