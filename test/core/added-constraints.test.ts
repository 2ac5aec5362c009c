// What is read from the SQL of a range: every constraint it adds, however it is written, and nothing that
// only looks like one.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addedConstraints } from '../../src/core/added-constraints.ts';

const one = (sql: string) => {
  const { constraints, notForecast } = addedConstraints(sql);
  expect(notForecast).toEqual([]);
  expect(constraints).toHaveLength(1);
  return constraints[0]!;
};
const brief = (sql: string) =>
  addedConstraints(sql).constraints.map(({ kind, constraint, table }) => `${kind} ${constraint} ${table}`);
const left = (sql: string) => addedConstraints(sql).notForecast.map(({ what, why }) => `${what}: ${why}`);
const shared = (keys: string, from: string, where = '') =>
  '(tableoid, ctid) in (select tableoid, ctid from (select tableoid, ctid, count(*) over (partition ' +
  `by ${keys}) as copies from ${from}${where}) counted where copies > 1)`;

describe('each kind, with PostgreSQL’s rules for NULL', () => {
  test.each([
    ['alter table orders add constraint c check (total >= 0)', 'check', 'orders', 'not (total >= 0)'],
    [
      'ALTER TABLE ONLY public."Orders" ADD CONSTRAINT "c" CHECK (("a" > 0) AND (b <> \')\'))',
      'check',
      'only public."Orders"',
      `not (("a" > 0) AND (b <> ')'))`,
    ],
    [
      'alter table if exists t add constraint c unique (a, "B")',
      'unique',
      't',
      shared('a, "B"', 't', ' where a is not null and "B" is not null'),
    ],
    ['alter table t add constraint c unique nulls not distinct (a)', 'unique', 't', shared('a', 't')],
    [
      'alter table t add constraint c primary key (a, b)',
      'primary key',
      't',
      `(a is null or b is null or ${shared('a, b', 't')})`,
    ],
    [
      `alter table s.t add constraint c foreign key (a, b) references s.u (x, y)
        on delete cascade deferrable initially deferred`,
      'foreign key',
      's.t',
      't.a is not null and t.b is not null and not exists (select from s.u "soakgate referenced" ' +
        `where "soakgate referenced".x = t.a and "soakgate referenced".y = t.b)`,
    ],
    [
      'alter table t add constraint c foreign key (a) references u (x) match full',
      'foreign key',
      't',
      't.a is not null and not exists (select from u "soakgate referenced" where "soakgate ' +
        'referenced".x = t.a)',
    ],
    ['alter table t add constraint c not null a', 'not null', 't', 'a is null'],
    [
      'create unique index concurrently if not exists c on t (a)',
      'unique index',
      't',
      shared('a', 't', ' where a is not null'),
    ],
    [
      `create unique index c on only s.t using btree (lower(a) text_pattern_ops desc nulls last,
        (b + 1), d collate "C") include (e) with (fillfactor = 70) where f = 'a;b' -- the end`,
      'unique index',
      'only s.t',
      shared(
        'lower(a), (b + 1), d collate "C"',
        'only s.t',
        ` where lower(a) is not null and (b + 1) is not null and d collate "C" is not null and (f = 'a;b')`,
      ),
    ],
    [
      'create unique index c on t (a) nulls not distinct where b',
      'unique index',
      't',
      shared('a', 't', ' where (b)'),
    ],
  ])('%s', (sql, kind, from, condition) =>
    expect(one(sql)).toMatchObject({ constraint: 'c', kind, from, condition, rowsChangeFirst: false }),
  );

  test('SET NOT NULL has no name of its own', () =>
    expect(one('ALTER TABLE "t" ALTER COLUMN "e ""mail" SET NOT NULL')).toMatchObject({
      constraint: 'e "mail not null',
      condition: '"e ""mail" is null',
    }));
});

describe('a range', () => {
  test('several actions in one statement, and as two tools print them', () =>
    expect(
      brief(`BEGIN;
        --
        -- Create constraint
        --
        ALTER TABLE "shop_order" ADD CONSTRAINT "positive" CHECK ("total" IN (1, 2)), ALTER "b" SET NOT NULL, ADD CHECK (b > numeric(3, 2) '1'), SET (fillfactor = 70);
        SET CONSTRAINTS "positive" IMMEDIATE;
        ALTER TABLE users ADD CONSTRAINT uq_users_email UNIQUE (email);
        UPDATE alembic_version SET version_num='27c6a30d7c24' WHERE alembic_version.version_num = 'ae1027a6acf';
        COMMIT;`),
    ).toEqual([
      'check positive "shop_order"',
      'not null b not null "shop_order"',
      'check an unnamed check "shop_order"',
      'unique uq_users_email users',
    ]));

  test('NOT VALID is asked of no row until it is validated, under whatever spelling', () => {
    const added = `alter table T add constraint C check (a > 0) not valid; alter table t add constraint d
        check (b > 0) not enforced;`;
    expect(addedConstraints(added)).toEqual({ constraints: [], notForecast: [] });
    expect(one(`${added} alter table public."t" validate constraint c`)).toMatchObject({
      constraint: 'c',
      condition: 'not (a > 0)',
    });
  });

  test.each([
    ['update t set a = 0 where a is null;', true],
    ['insert into only t values (1);', true],
    ['update public."t" set a = 0;', true],
    ['update other set a = 0; insert into ledger values (1);', false],
    ['update u set a = 0;', true],
    ['delete from other;', true],
    ['select mend();', true],
    ['-- THIS OPERATION CANNOT BE WRITTEN AS SQL\n', true],
    ['-- this one can\n', false],
    ['\\set x 1\n', true],
    ['alter table t drop column b;', true],
    ['alter table t alter b type int using 1;', true],
    ['alter table v rename to w;', true],
    ['alter table t alter b set default 0, drop constraint if exists c;', false],
    ['drop table v; ', true],
    ['drop index v; create table v (a int); ', false],
  ])('after `%s` the rows may have changed: %s', (before, rowsChangeFirst) =>
    expect(one(`${before} alter table t add constraint c foreign key (a) references u (id)`)).toMatchObject({
      rowsChangeFirst,
    }),
  );
});

describe('left out, and counted', () => {
  test.each([
    ['alter table t add constraint c exclude using gist (a with &&)', 'c on t: it is of another kind'],
    ['alter table t add exclude using gist (a with &&)', 'an exclusion on t: it is of another kind'],
    ['alter table t add constraint c unique using index i', 'c on t: it cannot be read'],
    ['alter table t add constraint c foreign key (a) references u', 'c on t: it cannot be read'],
    [
      'alter table t add constraint c foreign key (a, b) references u (a, b) match full',
      'c on t: it cannot be read',
    ],
    [
      'alter table t add constraint c check (a > 0; alter table t add constraint d check (a > 0)',
      'c on t: it cannot be read',
    ],
    ['alter table t add constraint c check (a > 0; select 1)', 'c on t: it cannot be read'],
    ['create unique index c on t (a) where (a > 0; select 1', 'c on t: it cannot be read'],
    ['create unique index c on t (a b)', 'c on t: it cannot be read'],
    ['alter table t validate constraint c', 'c on t: it is validated here, but was not added here'],
    [
      'alter table t add column c int unique',
      'the column c on t: it comes with a constraint, and does not exist yet',
    ],
    [
      'alter table t add c int not null',
      'the column c on t: it comes with a constraint, and does not exist yet',
    ],
    [
      'set search_path = shop; alter table t add constraint c check (a > 0)',
      'c on t: the migrations set a search_path of their own',
    ],
    [
      'do $do$ begin execute $$alter table t add constraint c check (a > 0)$$; end $do$',
      'a constraint in a DO block: it cannot be read',
    ],
    ['alter domain d add constraint c check (value > 0)', 'the domain d: it belongs to no table'],
    ['\\i more.sql', 'what \\i more.sql runs: it cannot be read'],
    [
      `alter table t add constraint c check (a <> 'x)`,
      'the end of the SQL: it has an unclosed quote or comment',
    ],
    [
      '/* /* */ alter table t add constraint c check (a > 0)',
      'the end of the SQL: it has an unclosed quote or comment',
    ],
  ])('%s', (sql, line) => {
    expect(left(sql)).toEqual([line]);
    expect(brief(sql)).toEqual([]);
  });

  test.each([
    `alter table t add column c int not null default 0, alter column d drop not null, alter
      constraint e deferrable`,
    'create index i on t (a); create table u (a int unique, check (a > 0))',
    `insert into log values ('alter table t add constraint c check (a > 0)', E'\\'; alter table
      t add constraint c check (a > 0); --')`,
    `create function f() returns void language plpgsql as $_$ begin; alter table t add
      constraint c check (a > 0); end $_$`,
    "copy t (a) from stdin;\nalter table t add constraint c check (a > 0);\nit's\n\\.\n",
  ])('nothing is in: %s', (sql) =>
    expect(addedConstraints(sql)).toEqual({ constraints: [], notForecast: [] }),
  );
});

describe('properties', () => {
  const name = fc.oneof(
    fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/u).map((word) => `n_${word}`),
    fc
      .string({ minLength: 1, maxLength: 8, unit: 'grapheme' })
      .map((text) => `"${text.replaceAll('"', '""')}"`),
  );
  const literal = fc.oneof(
    fc.string({ maxLength: 8 }).map((text) => `'${text.replaceAll("'", "''")}'`),
    fc.string({ maxLength: 8 }).map((text) => `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`),
    fc.stringMatching(/^[^$]{0,8}$/u).map((text) => `$q$${text}$q$`),
  );
  const { expression } = fc.letrec<{ expression: string }>((tie) => ({
    expression: fc.oneof(
      { depthSize: 'small' },
      fc.tuple(name, literal).map(([column, text]) => `${column} <> ${text}`),
      fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `(${a}) or f(${b}, 1)`),
    ),
  }));
  const column = (index: number) => `k${index}`;
  const added = fc.record({
    constraint: name,
    table: name,
    expression,
    kind: fc.constantFrom('check', 'unique', 'foreign key', 'unique index'),
  });
  type Added = typeof added extends fc.Arbitrary<infer T> ? T : never;
  const bodies: Readonly<Record<string, (it: Added) => string[]>> = {
    check: (it) => ['check', `(${it.expression})`],
    unique: () => ['unique', '(', column(1), ',', column(2), ')'],
    'foreign key': () => ['foreign', 'key', '(', column(1), ')', 'references', 'u', '(', 'id', ')'],
  };
  const written = (it: Added): string[] =>
    it.kind === 'unique index'
      ? [
          'create',
          'unique',
          'index',
          it.constraint,
          'on',
          it.table,
          '(',
          column(1),
          ')',
          'where',
          it.expression,
          ';',
        ]
      : ['alter', 'table', it.table, 'add', 'constraint', it.constraint, ...bodies[it.kind]!(it), ';'];
  const decoy = 'alter table t add constraint decoy check (a > 0);';
  const gap = fc.constantFrom(
    ' ',
    '\n',
    `/* ' ${decoy} /* " */ $$ */`,
    `-- ' $$ " /* ${decoy}\n`,
    '\t-- (\n',
  );
  const between = fc.constantFrom(
    '',
    `comment on table t is '${decoy}';`,
    `create function f() returns int language sql as $f$ ${decoy} ' $f$;`,
    ';',
    'analyze "t(";',
  );

  test(
    'whatever stands between the words and the statements, the same constraints are read, in their ' +
      `order`,
    () => {
      fc.assert(
        fc.property(
          fc.array(fc.tuple(added, fc.array(gap, { minLength: 1, maxLength: 8 }), between), { maxLength: 5 }),
          (list) => {
            const sql = list
              .map(
                ([it, gaps, before]) =>
                  before + written(it).reduce((text, word, at) => text + gaps[at % gaps.length]! + word, ''),
              )
              .join('\n');
            const { constraints, notForecast } = addedConstraints(sql);
            expect(notForecast).toEqual([]);
            const plain = (text: string) =>
              text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
            expect(constraints.map(({ constraint, table, kind }) => ({ constraint, table, kind }))).toEqual(
              list.map(([{ constraint, table, kind }]) => ({ constraint: plain(constraint), table, kind })),
            );
            for (const [at, [it]] of list.entries())
              if (it.kind === 'check') expect(constraints[at]?.condition).toBe(`not (${it.expression})`);
          },
        ),
      );
    },
  );

  test('no text makes it throw, and no condition reaches over its statement', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'alter table t',
        ' add constraint c',
        ' check ',
        ' unique ',
        '(',
        ')',
        ';',
        "'",
        '"',
        '$$',
        '/*',
        '*/',
        '--',
        '\n',
        ',',
        'a',
        ' where ',
      ),
      fc.string({ maxLength: 4 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        for (const { condition } of addedConstraints(pieces.join('')).constraints) {
          const bare = condition.replaceAll(/'[^']*'|"[^"]*"|\$\$.*?\$\$|\/\*[^]*?\*\/|--.*/gu, '');
          expect(bare).not.toContain(';');
        }
      }),
      { numRuns: 500 },
    );
  });
});
