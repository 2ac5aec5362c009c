// What a case of the field says, for the page that the run writes; and what an installation of PostgreSQL lacks.
import type { TestContext } from 'vitest';
import { query } from './hands.ts';

/** Keeps what the product said of this case for docs/field.md. */
export function said({ task }: Pick<TestContext, 'task'>, outcome: string): void {
  (task.meta as { outcome?: string }).outcome = outcome;
}

const EXTENSION = /create extension (?:if not exists )?(\w+)/gu;

/** Skips a case whose extensions this installation does not have: listed as not held, never as right. */
export async function needsExtensions(
  { skip }: Pick<TestContext, 'skip'>,
  url: string,
  sql: string,
): Promise<void> {
  const wanted = [...sql.matchAll(EXTENSION)].map(([, name]) => name!);
  const there = await query<{ name: string }>(url, 'select name from pg_available_extensions');
  const names = new Set(there.map(({ name }) => name));
  const lacking = wanted.filter((name) => !names.has(name));
  if (lacking.length > 0) skip(`there is no extension ${lacking.join(', ')} here`);
}
