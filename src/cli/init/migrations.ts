// Which tool migrates the database, and by which names: from file names alone, for a database cannot be asked yet.
import { Problem } from '../../client/problem.ts';
import type { Folder, FoundMigrations } from './found.ts';

/** Tools without an adapter, by the file that gives them away. */
const OTHER_TOOLS: readonly (readonly [RegExp, string])[] = [
  [/^(?:[^/]+\/)?alembic\.ini$/u, 'Alembic'],
  [/^(?:[^/]+\/)?prisma\/schema\.prisma$/u, 'Prisma'],
  [/^(?:[^/]+\/)?knexfile\.[cm]?[jt]s$/u, 'Knex'],
  [/^(?:[^/]+\/)?drizzle\.config\.[cm]?[jt]s$/u, 'Drizzle'],
  [/^(?:[^/]+\/)?flyway\.(?:conf|toml)$/u, 'Flyway'],
  [/^(?:[^/]+\/)?liquibase\.properties$/u, 'Liquibase'],
];

const NUMBERED = /^(?:(.*)\/)?(\d+[^/]*)\.sql$/u;
const DJANGO = /^(?:(.*)\/)?migrations\/(\d{4}_\w+)\.py$/u;

export const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);
const depthOf = (path: string): number => path.split('/').length;

/** The one of that name that lies least deep, at most `deepest` folders down. */
export function nearestFile({ files }: Folder, name: string, deepest = 2): string | undefined {
  const named = files.filter((file) => file === name || file.endsWith(`/${name}`));
  return named.filter((file) => depthOf(file) <= deepest).sort((a, b) => depthOf(a) - depthOf(b))[0];
}

/** @throws Problem for a tool that this version cannot drive. */
export function findMigrations(folder: Folder): {
  readonly migrations: FoundMigrations | null;
  readonly notes: readonly string[];
} {
  for (const [pattern, tool] of OTHER_TOOLS) {
    const file = folder.files.find((path) => pattern.test(path));
    if (file)
      throw new Problem(
        'usage',
        `${file}: ${tool} is not supported yet`,
        'there is: Django, and numbered SQL files with down files',
      );
  }
  const django = findDjango(folder);
  const sql = findSql(folder);
  if (!django) return sql;
  const beside = sql.migrations
    ? [`${sql.migrations.at} holds SQL files too; the plan goes by Django's migrations`]
    : [];
  return { migrations: django, notes: [...uncommitted(folder, /\/migrations\/\d{4}_\w+\.py$/u), ...beside] };
}

function findDjango(folder: Folder): FoundMigrations | null {
  const manage = nearestFile(folder, 'manage.py');
  if (manage === undefined) return null;
  const named = (files: readonly string[]) => files.flatMap((file) => djangoName(folder, file) ?? []).sort();
  const all = named(folder.files);
  const before = folder.git?.before && new Set(named(folder.git.before.files));
  return {
    tool: 'django',
    at: placed(folder, manage),
    all,
    fresh: before ? all.filter((name) => !before.has(name)) : null,
  };
}

/** `characters/migrations/0003_x.py` is `characters.0003_x`, unless the app calls itself otherwise. */
function djangoName({ texts }: Folder, file: string): string | null {
  const [, app, name] = DJANGO.exec(file) ?? [];
  if (app === undefined || name === undefined) return null;
  const own = /^\s*label\s*=\s*["'](\w+)["']/mu.exec(texts[`${app}/apps.py`] ?? '')?.[1];
  return `${own ?? app.split('/').at(-1)}.${name}`;
}

function findSql(folder: Folder): {
  readonly migrations: FoundMigrations | null;
  readonly notes: readonly string[];
} {
  const places = new Map<string, string[]>();
  for (const file of folder.files) {
    const [, place = '', name = ''] = NUMBERED.exec(file) ?? [];
    if (name !== '' && !name.endsWith('.down')) places.set(place, [...(places.get(place) ?? []), name]);
  }
  const there = new Set(folder.files);
  const down = (place: string, name: string) => there.has(`${place && `${place}/`}${name}.down.sql`);
  const usable = [...places].filter(([place, names]) => names.some((name) => down(place, name)));
  const [best, ...others] = usable.sort((a, b) => b[1].length - a[1].length || depthOf(a[0]) - depthOf(b[0]));
  if (!best)
    return { migrations: null, notes: [...places].map(([place, names]) => withoutDown(place, names)) };
  const [place, all] = best;
  const before = folder.git?.before && new Set(folder.git.before.files);
  const fresh = before ? all.filter((name) => !before.has(`${place && `${place}/`}${name}.sql`)) : null;
  const lacking = all.filter((name) => !down(place, name));
  return {
    migrations: { tool: 'sql', at: placed(folder, place || '.'), all, fresh },
    notes: [
      ...uncommitted(folder, NUMBERED),
      ...lacking.map(
        (name) =>
          `${name} has no down file (${name}.down.sql): it cannot be pending, for it could not be taken back`,
      ),
      ...others.map(([other]) => `${other} holds numbered SQL files too; the plan goes by ${place}`),
    ],
  };
}

const withoutDown = (place: string, names: readonly string[]): string =>
  names.some((name) => name.endsWith('.up'))
    ? `${place || 'this folder'} has pairs of .up.sql and .down.sql; Soakgate reads 0001_name.sql and 0001_name.down.sql`
    : `${place || 'this folder'} has numbered SQL files and none with a down file (${names[0]}.down.sql), so nothing could be taken back`;

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
