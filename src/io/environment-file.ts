// An environment's file as it is now: whom it trusts is read again when it changes; where things lie is not, because
// a rollout has begun there.
import { appendFile, mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from './files.ts';
import { type EnvironmentSettings, readEnvironmentFile } from './settings.ts';

/** What holds from the next activity on. */
const READ_AGAIN = ['control', 'environments', 'people', 'guardrails', 'notifiers'] as const;

/** One version of the file, as the permit store keeps it. */
export interface FileVersion {
  readonly sha256: string;
  /** RFC 3339, by this worker's clock. */
  readonly readAt: string;
}

export interface LiveEnvironmentFile {
  /** Of the last version that could be read. */
  readonly settings: EnvironmentSettings;
  readonly version: FileVersion;
  /** Why the version that lies there now cannot be used; null where it can. */
  readonly fault: string | null;
  /** Reads it again where it has changed. Never throws: `fault` says what is wrong. */
  refresh(): Promise<void>;
}

/** The name of the record in the permit store: a line for each version that was read. */
export const VERSIONS = 'environment-file.jsonl';

/**
 * Reads the file, and writes when into its permit store. `say` hears of each later version.
 * @throws Error with all complaints about the first version.
 */
export async function openEnvironmentFile(
  path: string,
  say: (text: string, isFault: boolean) => void = () => undefined,
): Promise<LiveEnvironmentFile> {
  let mark = await markOf(path);
  const first = await readEnvironmentFile(path);
  const live = { settings: first, version: await versionOf(path), fault: null as string | null };
  await keep(first, live.version);
  let reading: Promise<void> = Promise.resolve();
  const read = async (): Promise<void> => {
    const now = await markOf(path);
    if (now === mark) return;
    mark = now;
    try {
      // A pipe would be waited for without an end.
      if (now === NO_FILE) throw new Error('it is no regular file');
      const [settings, version] = [await readEnvironmentFile(path), await versionOf(path)];
      const moved = movedIn(first, settings);
      live.settings = { ...first, ...Object.fromEntries(READ_AGAIN.map((name) => [name, settings[name]])) };
      live.version = version;
      live.fault =
        settings.environment === first.environment ? null : otherEnvironment(path, settings, first);
      await keep(first, version);
      say(live.fault ?? `${path} was read again: ${peopleOf(settings)}`, live.fault !== null);
      if (moved.length > 0)
        say(
          `${path} has another ${moved.join(', ')}: restart the worker; until then the old one holds`,
          true,
        );
    } catch (error) {
      live.fault = `${path} cannot be read: ${(error as Error).message}`;
      say(live.fault, true);
    }
  };
  return {
    get settings() {
      return live.settings;
    },
    get version() {
      return live.version;
    },
    get fault() {
      return live.fault;
    },
    // One after the other: an older version never takes the place of a newer one.
    refresh: () => (reading = reading.then(read)),
  };
}

const NO_FILE = 'no regular file';

/** Changes whenever the file is written or replaced; empty where it is gone. */
async function markOf(path: string): Promise<string> {
  const found = await stat(path, { bigint: true }).catch(() => null);
  if (found && !found.isFile()) return NO_FILE;
  return found ? [found.ino, found.size, found.mtimeNs, found.ctimeNs].join(' ') : '';
}

const versionOf = async (path: string): Promise<FileVersion> => ({
  sha256: sha256(await readFile(path)),
  readAt: new Date().toISOString(),
});

async function keep({ permitStore }: EnvironmentSettings, version: FileVersion): Promise<void> {
  await mkdir(permitStore, { recursive: true, mode: 0o700 });
  await appendFile(join(permitStore, VERSIONS), `${JSON.stringify(version)}\n`, { mode: 0o600 });
}

const movedIn = (first: EnvironmentSettings, now: EnvironmentSettings): readonly string[] =>
  (['services', 'artifacts', 'permitStore', 'workerKey', 'buildEnv'] as const).filter(
    (name) => JSON.stringify(first[name]) !== JSON.stringify(now[name]),
  );

const peopleOf = ({ people }: EnvironmentSettings): string =>
  `it trusts ${people.map(({ name, roles }) => `${name} (${roles.join(', ') || 'no role'})`).join(', ')}`;

const otherEnvironment = (path: string, now: EnvironmentSettings, first: EnvironmentSettings): string =>
  `${path} is the file of ${now.environment} now; this is the worker of ${first.environment}`;
