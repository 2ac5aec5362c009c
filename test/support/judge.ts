// What a database is, judged without any code of the product: the text of pg_dump, and md5 of the rows as text.
import pg from 'pg';
import { ranNow } from './programs.ts';

/** `schema` → the text of its dump; `public.orders` → rows and md5 of them; `sequence public.x` → last value. */
export type Judged = Readonly<Record<string, string>>;

/** Whatever the role or the database has for a default. */
const STEADY = [
  'statement_timeout=0',
  'idle_session_timeout=0',
  'idle_in_transaction_session_timeout=0',
  'datestyle=ISO',
  'timezone=UTC',
  'extra_float_digits=1',
  'bytea_output=hex',
]
  .map((setting) => `-c ${setting}`)
  .join(' ');

export async function judge(url: string): Promise<Judged> {
  const client = new pg.Client({ connectionString: url, options: STEADY });
  await client.connect();
  try {
    const { rows: tables } = await client.query<{ name: string; plain: string }>(
      `select format('%I.%I', schemaname, tablename) as name, schemaname || '.' || tablename as plain
        from pg_tables where schemaname !~ '^(pg_|information_schema$|soakgate$)'`,
    );
    const found: Record<string, string> = { schema: schemaText(url) };
    for (const { name, plain } of tables) {
      const { rows } = await client.query<{ n: string; md5: string }>(
        `select count(*) as n, md5(string_agg(x.r, chr(10) order by x.r collate "C")) as md5
          from (select row(judged.*)::text as r from only ${name} as judged) x`,
      );
      found[plain] = `${rows[0]!.n} rows ${rows[0]!.md5}`;
    }
    return found;
  } finally {
    await client.end();
  }
}

/** Names of what is not the same. */
export const unequal = (one: Judged, other: Judged): readonly string[] =>
  [...new Set([...Object.keys(one), ...Object.keys(other)])]
    .filter((name) => one[name] !== other[name])
    .toSorted();

/** Without the words that differ from dump to dump. */
export function schemaText(url: string): string {
  const bin = process.env['SOAKGATE_PG_BIN'];
  const program = bin ? `${bin}/pg_dump` : 'pg_dump';
  const steady = new URL(url);
  steady.searchParams.set('options', '-c statement_timeout=0');
  const text = ranNow(program, [
    '--schema-only',
    '--no-password',
    '--no-subscriptions',
    '--exclude-schema=soakgate',
    '--dbname',
    // libpq reads a plus sign as one.
    steady.href.replaceAll('+', '%20'),
  ]);
  return text.replaceAll(/^\\(?:un)?restrict .*$/gmu, '');
}
