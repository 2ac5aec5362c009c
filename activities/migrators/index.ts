// The family of migration tools.
import type { MigratorKey } from '../../src/core/plan/migrators/index.ts';
import { django } from './django.ts';
import { golangMigrate } from './golang-migrate.ts';
import type { Migrator } from './migrator.ts';
import { sql } from './sql.ts';

const migrators: Readonly<Record<MigratorKey, Migrator>> = { sql, django, 'golang-migrate': golangMigrate };

export const migratorNames = (): readonly string[] => Object.keys(migrators);

/** The tool that the plan names. */
export function migratorOf(tool: string): Migrator {
  const found = Object.hasOwn(migrators, tool) ? migrators[tool as MigratorKey] : undefined;
  if (!found) throw new RangeError(`no migrator ${tool}`);
  return found;
}
