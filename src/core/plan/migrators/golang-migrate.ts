// The file layout of golang-migrate: pairs of `N_name.up.sql` and `N_name.down.sql`, and a ledger of one row.
import { path, table } from '../forms.ts';
import { defineMigrator, journal } from './migrator.ts';
import { byFolder, namesIn, within } from './places.ts';

const UP = /^(?:(.*)\/)?(\d+_[^/]+)\.up\.sql$/u;

/** The number that the ledger keeps: `0004_names` is version 4. */
export const versionOf = (name: string): bigint => BigInt(/^\d+/u.exec(name)?.[0] ?? 0);

/** In the order of their numbers, which may be written with or without zeros before them. */
export const inOrder = (names: readonly string[]): readonly string[] =>
  names.toSorted((one, other) => Number(versionOf(one) - versionOf(other)));

const downFile = (folder: string, name: string): string => within(folder, `${name}.down.sql`);

export const golangMigrate = defineMigrator({
  key: 'golang-migrate',
  meaning: 'Pairs of .up.sql and .down.sql files, as golang-migrate reads them',
  options: {
    folder: path.describe('Folder of the pairs, N_name.up.sql and N_name.down.sql'),
    ledger: table
      .describe('Table that keeps the version and whether it is dirty; default: schema_migrations')
      .optional(),
    journal,
  },
  defaults: { ledger: 'schema_migrations' },
  programs: () => [],
  example: 'golang-migrate: { folder: migrations, pending: [...] }',
  spoken: 'pairs of .up.sql and .down.sql files',
  plainFiles: true,
  pattern: /^(?:.*\/)?\d+_[^/]+\.(?:up|down)\.sql$/u,
  find: ({ files }) =>
    byFolder(files, UP).map(([at, names]) => ({
      at,
      notes: inOrder(names)
        .filter((name) => !files.includes(downFile(at, name)))
        .map(
          (name) =>
            `${name}.up.sql has no ${name}.down.sql: it cannot be pending, for it could not be taken back`,
        ),
    })),
  namesAt: ({ files }, at) => inOrder(namesIn(files, UP, at)),
  unusable: () => [],
  firstPlan: (at) => [
    ['folder', at, ''],
    ['ledger', 'schema_migrations', 'CHANGE: the table that golang-migrate keeps'],
  ],
  askDatabase: 'ask the database that serves: migrate version',
  journals: ({ journal: tables = [] }) => [tables].flat(),
});
