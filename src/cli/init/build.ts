// How the release is built and started: from its lock file, and from what it says of itself.
import type { Folder, FoundBuild, FoundService } from './found.ts';
import { folderOf, nearestFile } from '../../core/plan/migrators/places.ts';
import { placed } from './migrations.ts';

const OTHER_LOCKS = [
  'pnpm-lock.yaml',
  'yarn.lock',
  'uv.lock',
  'poetry.lock',
  'Pipfile.lock',
  'bun.lock',
  'Gemfile.lock',
  'go.sum',
];
const PYTHON = '.venv/bin/python';

/** How the release is built, and what is left to a person. */
export function findBuild(folder: Folder): {
  readonly build: FoundBuild | null;
  readonly notes: readonly string[];
} {
  const other = OTHER_LOCKS.find((name) => nearestFile(folder, name) !== undefined);
  const requirements = nearestFile(folder, 'requirements.txt');
  const lock = nearestFile(folder, 'package-lock.json');
  if (requirements !== undefined && (lock === undefined || nearestFile(folder, 'manage.py') !== undefined))
    return { build: byPip(folder, requirements), notes: [] };
  if (lock !== undefined) return { build: byNpm(folder, lock), notes: [] };
  return { build: null, notes: other ? [`${other}: say under release.install how it is installed`] : [] };
}

/** Soakgate tells the environment by its true name, so a plain venv will do. */
function byPip(folder: Folder, requirements: string): FoundBuild {
  const lock = placed(folder, requirements);
  const install = [
    ['python3', '-m', 'venv', '.venv'],
    ['.venv/bin/pip', 'install', '--quiet', '-r', lock],
  ];
  return { lock, environment: '.venv', install, path: ['.venv/bin'] };
}

/**
 * No environment is kept: `npm ci` takes a linked node_modules away and installs into a folder of its own.
 */
function byNpm(folder: Folder, file: string): FoundBuild {
  const below = placed(folder, folderOf(file) || '.');
  const where = below === '.' ? [] : ['--prefix', below];
  return {
    lock: placed(folder, file),
    environment: null,
    install: [['npm', 'ci', '--omit=dev', ...where]],
    path: [],
  };
}

/** What is restarted: the units that were named, else the process that the files give away. */
export function findServices(folder: Folder, units: readonly string[]): readonly FoundService[] {
  if (units.length > 0)
    return units.map((unit) => ({ name: plainName(unit.replace(/\.service$/u, '')), unit }));
  const command = djangoCommand(folder) ?? nodeCommand(folder);
  return command ? [{ name: 'web', command }] : [];
}

/** Gunicorn, where it is among the requirements. */
function djangoCommand(folder: Folder): readonly string[] | null {
  const manage = nearestFile(folder, 'manage.py');
  const requirements = nearestFile(folder, 'requirements.txt');
  if (
    manage === undefined ||
    requirements === undefined ||
    !/^gunicorn\b/imu.test(folder.texts[requirements] ?? '')
  )
    return null;
  const settings = /DJANGO_SETTINGS_MODULE["'],\s*["']([\w.]+)["']/u.exec(folder.texts[manage] ?? '')?.[1];
  const module = settings?.split('.')[0];
  if (module === undefined) return null;
  const below = placed(folder, folderOf(manage) || '.');
  const bound = folder.files.includes(`${folderOf(manage)}gunicorn.conf.py`);
  return [
    PYTHON,
    '-m',
    'gunicorn',
    ...(below === '.' ? [] : ['--chdir', below]),
    ...(bound ? [] : ['--bind', '127.0.0.1:8001']),
    `${module}.wsgi`,
  ];
}

const USUAL = ['server.mjs', 'server.js', 'index.mjs', 'index.js', 'app.mjs', 'app.js'];

/** `node FILE`, by the script `start`, by `main`, or by the usual names. */
function nodeCommand(folder: Folder): readonly string[] | null {
  const file = nearestFile(folder, 'package.json');
  if (file === undefined) return null;
  const described = readPackage(folder.texts[file]);
  const start = /^node\s+([\w./@-]+)$/u.exec(described.start ?? '')?.[1];
  const entry = [start, described.main, ...USUAL].find(
    (name) => name !== undefined && folder.files.includes(folderOf(file) + clean(name)),
  );
  return entry === undefined ? null : ['node', placed(folder, folderOf(file) + clean(entry))];
}

const clean = (path: string): string => path.replace(/^\.\//u, '');

interface Described {
  readonly name?: string;
  readonly main?: string;
  readonly start?: string;
}

/** What package.json says of itself; nothing when it is no JSON. */
export function readPackage(text: string | undefined): Described {
  try {
    const { name, main, scripts } = JSON.parse(text ?? '{}') as {
      name?: unknown;
      main?: unknown;
      scripts?: { start?: unknown };
    };
    return {
      ...(typeof name === 'string' && { name }),
      ...(typeof main === 'string' && { main }),
      ...(typeof scripts?.start === 'string' && { start: scripts.start }),
    };
  } catch {
    return {};
  }
}

/** A name as plans write it: a-z, 0-9 and hyphens, beginning with a letter. */
export function plainName(text: string): string {
  const plain = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/gu, '-')
    .replaceAll(/^[^a-z]+|-+$/gu, '')
    .slice(0, 40);
  return plain === '' ? 'app' : plain;
}
