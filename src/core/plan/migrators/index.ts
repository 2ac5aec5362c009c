// The list of migration tools: one line each.
import type { ToolDefinition, ToolOptions } from '../tool.ts';
import { django } from './django.ts';
import { golangMigrate } from './golang-migrate.ts';
import { sql } from './sql.ts';

export const migrators = { sql, django, 'golang-migrate': golangMigrate } as const;

type Migrators = typeof migrators;
export type MigratorKey = keyof Migrators;

/** Tool → the options that its adapter is handed. */
export type MigratorOptions = {
  readonly [Key in MigratorKey]: Migrators[Key] extends ToolDefinition<string, infer Shape, infer Defaults>
    ? ToolOptions<Shape, Defaults>
    : never;
};

/** How migrations are declared, for hints. */
export const exampleOfMigrations = `migrations: { ${Object.values(migrators)[0]?.example} }`;

/** The application's own journal tables, left out of comparisons of content; without a schema: in any. */
export function journalsOf(migrations: {
  readonly tool: string;
  readonly options: Readonly<Record<string, unknown>>;
}): readonly string[] {
  const tool = Object.values(migrators).find(({ key }) => key === migrations.tool);
  const journals = tool?.journals as ((options: unknown) => readonly string[]) | undefined;
  return journals?.(migrations.options) ?? [];
}
