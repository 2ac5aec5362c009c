// Which tool migrates the database, and by which names: from file names alone, for a database cannot be asked
// yet.
import { Problem } from '../../client/problem.ts';
import { migrators } from '../../core/plan/migrators/index.ts';
import type { FoundFiles } from '../../core/plan/migrators/migrator.ts';
import type { Folder, FoundMigrations, MigrationTool } from './found.ts';

/** Tools without an adapter, by the file that gives them away. */
const OTHER_TOOLS: readonly (readonly [RegExp, string])[] = [
  [/^(?:[^/]+\/)?alembic\.ini$/u, 'Alembic'],
  [/^(?:[^/]+\/)?prisma\/schema\.prisma$/u, 'Prisma'],
  [/^(?:[^/]+\/)?knexfile\.[cm]?[jt]s$/u, 'Knex'],
  [/^(?:[^/]+\/)?drizzle\.config\.[cm]?[jt]s$/u, 'Drizzle'],
  [/^(?:[^/]+\/)?flyway\.(?:conf|toml)$/u, 'Flyway'],
  [/^(?:[^/]+\/)?liquibase\.properties$/u, 'Liquibase'],
];

const tools: readonly MigrationTool[] = Object.values(migrators);

interface Candidate {
  readonly tool: MigrationTool;
  readonly found: FoundFiles;
  readonly size: number;
}

const candidate = (folder: Folder, tool: MigrationTool, found: FoundFiles): Candidate => ({
  tool,
  found,
  size: tool.namesAt(folder, found.at).length,
});

interface Result {
  readonly migrations: FoundMigrations | null;
  readonly notes: readonly string[];
}

/** @throws Problem for a tool that this version cannot drive. */
export function findMigrations(folder: Folder): Result {
  refuseOthers(folder);
  const [best, ...others] = tools
    .flatMap((tool) => tool.find(folder).map((found): Candidate => candidate(folder, tool, found)))
    .sort(byLikelihood);
  if (!best) return { migrations: null, notes: tools.flatMap((tool) => tool.unusable(folder)) };
  const { tool, found } = best;
  const all = tool.namesAt(folder, found.at);
  const files = folder.git?.before?.files;
  const before = files && new Set(tool.namesAt({ files, texts: folder.texts }, found.at));
  return {
    migrations: {
      tool,
      at: placed(folder, found.at || '.'),
      all,
      fresh: before ? all.filter((name) => !before.has(name)) : null,
    },
    notes: [
      ...uncommitted(folder, tool.pattern),
      ...found.notes,
      ...others.map(({ tool: other, found: { at } }) =>
        tool.plainFiles
          ? `${at} holds ${other.spoken} too; the plan goes by ${found.at}`
          : `${placed(folder, at || '.')} holds ${other.spoken} too; the plan goes by ${tool.spoken}'s ` +
            'migrations',
      ),
    ],
  };
}

function refuseOthers({ files }: Folder): void {
  for (const [pattern, name] of OTHER_TOOLS) {
    const file = files.find((path) => pattern.test(path));
    if (!file) continue;
    const there = tools.map(({ spoken }) => spoken).toSorted((a, b) => b.localeCompare(a));
    throw new Problem('usage', `${file}: ${name} is not supported yet`, `there is: ${there.join(', and ')}`);
  }
}

/** A framework before plain files; of plain files the fullest folder. */
const byLikelihood = (one: Candidate, other: Candidate): number =>
  Number(one.tool.plainFiles) - Number(other.tool.plainFiles) || other.size - one.size;

/** A release is a commit: what is not in it will not be migrated. */
function uncommitted({ files, git }: Folder, pattern: RegExp): readonly string[] {
  if (!git?.ref) return [];
  const known = new Set(git.committed);
  return files
    .filter((file) => pattern.test(file) && !known.has(file))
    .map((file) => `${file} is not committed yet, so no release has it`);
}

/** Counted from the top of the checkout, as a plan does. */
export function placed({ git }: Folder, path: string): string {
  const whole = `${git?.prefix ?? ''}${path === '.' ? '' : path}`.replace(/\/$/u, '');
  return whole === '' ? '.' : whole;
}
