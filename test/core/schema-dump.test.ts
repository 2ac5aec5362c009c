// The text of pg_dump, taken apart into objects. The texts are as pg_dump 15 writes them.
import { describe, expect, test } from 'vitest';
import { readSchemaDump } from '../../src/core/schema-dump.ts';

const entry = (name: string, type: string, schema: string, body: string): string =>
  `--\n-- Name: ${name}; Type: ${type}; Schema: ${schema}; Owner: app\n--\n\n${body}\n\n\n`;
const orders = `CREATE TABLE public.orders (
    id integer NOT NULL,
    status text DEFAULT 'a,(b'::text NOT NULL,
    "odd, (name" numeric(10,2),
    CONSTRAINT orders_known CHECK (
CASE
    WHEN (id > 0) THEN (status = ANY (ARRAY['a'::text, 'b,'::text]))
    ELSE true
END)
)
WITH (fillfactor='70', autovacuum_enabled='false');


ALTER TABLE ONLY public.orders ALTER COLUMN status SET STATISTICS 100;


ALTER TABLE public.orders OWNER TO app;`;

test('a table is itself, its columns and its constraints', () => {
  expect(readSchemaDump(entry('orders', 'TABLE', 'public', orders))).toEqual({
    'columns of public.orders': 'id, status, "odd, (name"',
    'table public.orders': `CREATE TABLE public.orders (…)
WITH (autovacuum_enabled='false', fillfactor='70');
ALTER TABLE ONLY public.orders ALTER COLUMN status SET STATISTICS 100;
ALTER TABLE public.orders OWNER TO app;`,
    'column public.orders.id': 'integer NOT NULL',
    'column public.orders.status': "text DEFAULT 'a,(b'::text NOT NULL",
    'column public.orders.odd, (name': 'numeric(10,2)',
    'constraint public.orders.orders_known': `CHECK (
CASE
    WHEN (id > 0) THEN (status = ANY (ARRAY['a'::text, 'b,'::text]))
    ELSE true
END)`,
  });
});

describe('other entries', () => {
  test.each([
    [
      'orders orders_pkey',
      'CONSTRAINT',
      'ALTER TABLE ONLY public.orders\n    ADD CONSTRAINT orders_pkey PRIMARY KEY (id);',
      { 'constraint public.orders.orders_pkey': 'PRIMARY KEY (id)' },
    ],
    [
      'orders big',
      'CHECK CONSTRAINT',
      'ALTER TABLE public.orders\n    ADD CONSTRAINT big CHECK ((id > 0)) NOT VALID;',
      { 'constraint public.orders.big': 'CHECK ((id > 0)) NOT VALID' },
    ],
    [
      'TABLE orders',
      'ACL',
      'GRANT SELECT ON TABLE public.orders TO b;\nGRANT SELECT ON TABLE public.orders TO a;',
      {
        'grants on table public.orders':
          'GRANT SELECT ON TABLE public.orders TO a;\nGRANT SELECT ON TABLE public.orders TO b;',
      },
    ],
    [
      'COLUMN orders.id',
      'COMMENT',
      "COMMENT ON COLUMN public.orders.id IS 'x';",
      { 'comment on column public.orders.id': "COMMENT ON COLUMN public.orders.id IS 'x';" },
    ],
    [
      'v',
      'VIEW',
      "CREATE VIEW public.v WITH (security_barrier='true', check_option='local') AS\n SELECT 1;",
      {
        'view public.v':
          "CREATE VIEW public.v WITH (check_option='local', security_barrier='true') AS\n SELECT 1",
      },
    ],
    [
      'orders mine',
      'POLICY',
      'CREATE POLICY mine ON public.orders TO reader USING (true);',
      { 'policy public.orders.mine': 'CREATE POLICY mine ON public.orders TO reader USING (true)' },
    ],
  ])('%s %s', (name, type, body, objects) =>
    expect(readSchemaDump(entry(name, type, 'public', body))).toEqual(objects),
  );
});

test('where an object lies is a part of it, and what is default is not', () => {
  const table = (name: string) =>
    entry(name, 'TABLE', 'public', `CREATE TABLE public.${name} (\n    id integer\n);`);
  const dump =
    `SET default_tablespace = '';\n\nSET default_table_access_method = heap;\n\n${table('a')}` +
    `SET default_tablespace = fast;\n\n${table('b')}SET default_tablespace = '';\n\n${table('c')}`;
  const objects = readSchemaDump(dump);
  expect(objects['table public.a']).toBe('CREATE TABLE public.a (…)');
  expect(objects['table public.b']).toContain('default_tablespace fast');
  expect(objects['table public.c']).toBe('CREATE TABLE public.c (…)');
});

test('a random word of the dump is no difference; a function body that looks like an entry loses nothing', () => {
  const body =
    "CREATE FUNCTION public.f() RETURNS void\n    AS $$\n--\n-- Name: x; Type: TABLE; Schema: y; Owner: z\n--\nselect 'secret' $$;";
  const dump = (word: string) =>
    `\\restrict ${word}\n\n${entry('f()', 'FUNCTION', 'public', body)}\\unrestrict ${word}\n`;
  expect(readSchemaDump(dump('abc'))).toEqual(readSchemaDump(dump('xyz')));
  expect(JSON.stringify(readSchemaDump(dump('abc')))).toContain('secret');
});
