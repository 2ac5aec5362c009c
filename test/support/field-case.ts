// What a case of the field says, for the page that the run writes; and what an installation of PostgreSQL lacks.
import type { TestContext } from 'vitest';
import { query } from './hands.ts';

/** Keeps what the product said of this case for docs/field.md. */
export function said({ task }: Pick<TestContext, 'task'>, outcome: string): void {
  (task.meta as { outcome?: string }).outcome = outcome;
}

const EXTENSION = /create extension (?:if not exists )?(\w+)/gu;

/** A case that only some installations of PostgreSQL can hold. */
export interface Needs {
  /** From this major on. */
  readonly major?: number;
  readonly icu?: boolean;
}

/** Skips a case that this installation cannot hold: listed as not held, never as right. */
export async function needsExtensions(
  { skip }: Pick<TestContext, 'skip'>,
  url: string,
  sql: string,
  { major = 0, icu = false }: Needs = {},
): Promise<void> {
  const wanted = [...sql.matchAll(EXTENSION)].map(([, name]) => name!);
  const [server] = await query<{ major: number; icu: boolean }>(
    url,
    `select current_setting('server_version_num')::int / 10000 as major,
      (select count(*) > 9 from pg_collation where collprovider = 'i') as icu`,
  );
  if (server!.major < major) skip(`needs PostgreSQL ${major}`);
  if (icu && !server!.icu) skip('this installation has no ICU');
  const there = await query<{ name: string }>(url, 'select name from pg_available_extensions');
  const names = new Set(there.map(({ name }) => name));
  const lacking = wanted.filter((name) => !names.has(name));
  if (lacking.length > 0) skip(`there is no extension ${lacking.join(', ')} here`);
}
