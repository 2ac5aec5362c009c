// Django's migrations, by the release's own Django.
import { path } from '../forms.ts';
import { defineMigrator, journal, type ReleaseFiles } from './migrator.ts';
import { nearestFile } from './places.ts';

const MIGRATION = /^(?:(.*)\/)?migrations\/(\d{4}_\w+)\.py$/u;

export const django = defineMigrator({
  key: 'django',
  meaning: 'Django migrations',
  options: { manage: path.describe("The project's manage.py"), journal },
  defaults: {},
  programs: () => [],
  example: 'django: { manage: manage.py, pending: [...] }',
  spoken: 'Django',
  plainFiles: false,
  pattern: /\/migrations\/\d{4}_\w+\.py$/u,
  find: (folder) => {
    const at = nearestFile(folder, 'manage.py');
    if (at === undefined) return [];
    return [{ at, notes: [] }];
  },
  namesAt: (folder) => folder.files.flatMap((file) => nameOf(folder, file) ?? []).sort(),
  unusable: () => [],
  firstPlan: (at) => [['manage', at, '']],
  askDatabase:
    'ask the database that serves: python manage.py showmigrations --plan; those of packages count, too',
  journals: ({ journal: tables = [] }) => [tables].flat(),
});

/** `characters/migrations/0003_x.py` is `characters.0003_x`, unless the app calls itself otherwise. */
function nameOf({ texts }: ReleaseFiles, file: string): string | null {
  const [, app, name] = MIGRATION.exec(file) ?? [];
  if (app === undefined || name === undefined) return null;
  const own = /^\s*label\s*=\s*["'](\w+)["']/mu.exec(texts[`${app}/apps.py`] ?? '')?.[1];
  return `${own ?? app.split('/').at(-1)}.${name}`;
}
