// Numbered SQL files with down files, and a ledger of their names.
import { path, table } from '../forms.ts';
import { defineMigrator, journal, type ReleaseFiles } from './migrator.ts';
import { byFolder, namesIn, within } from './places.ts';

/** `0001_name.sql`; neither a down file nor one half of another tool's pair. */
const NUMBERED = /^(?:(.*)\/)?(\d+[^/]*?)(?<!\.down|\.up)\.sql$/u;

const ANY = /^(?:(.*)\/)?(\d+[^/]*)\.sql$/u;

const downFile = (folder: string, name: string): string => within(folder, `${name}.down.sql`);

export const sql = defineMigrator({
  key: 'sql',
  meaning: 'Numbered SQL files with down files',
  options: {
    folder: path.describe('Folder of the numbered SQL files, each with its down file'),
    ledger: table
      .describe('Table in which applied migrations are noted; default: schema_migrations')
      .optional(),
    journal,
  },
  defaults: { ledger: 'schema_migrations' },
  programs: () => [],
  example: 'sql: { folder: migrations, pending: [...] }',
  spoken: 'numbered SQL files with down files',
  plainFiles: true,
  pattern: ANY,
  find: (folder) =>
    usable(folder).map(([at, names]) => ({
      at,
      notes: names
        .filter((name) => !folder.files.includes(downFile(at, name)))
        .map(
          (name) =>
            `${name} has no down file (${name}.down.sql): it cannot be pending, for it could not be ` +
            'taken back',
        ),
    })),
  namesAt: ({ files }, at) => namesIn(files, NUMBERED, at),
  unusable: (folder) =>
    byFolder(folder.files, ANY)
      .filter(([at]) => !usable(folder).some(([place]) => place === at))
      .map(
        ([at, names]) =>
          `${at || 'this folder'} has numbered SQL files and none with a down file ` +
          `(${names[0]}.down.sql), so nothing could be taken back; 0001_name.sql goes with ` +
          '0001_name.down.sql',
      ),
  firstPlan: (at) => [
    ['folder', at, ''],
    ['ledger', 'schema_migrations', 'CHANGE: the table in which applied ones are noted'],
  ],
  askDatabase: 'ask the database that serves what its ledger has',
  journals: ({ journal: tables = [] }) => [tables].flat(),
});

function usable({ files }: ReleaseFiles) {
  const there = new Set(files);
  return byFolder(files, NUMBERED).filter(([at, names]) =>
    names.some((name) => there.has(downFile(at, name))),
  );
}
