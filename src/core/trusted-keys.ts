// Whose keys a reader of evidence trusts: gathered from environment files, trust files and `--control`.
import type { Quorum } from './quorum.ts';
import { keyBytes } from './unmeetable.ts';

/** What people may sign for, as guardrails name it. */
export type Guarded = 'start' | 'approve' | 'rollback' | 'decide' | 'operate';

export interface TrustedPerson {
  readonly name: string;
  /** `ed25519:…`. */
  readonly key: string;
  /** Null where the file names none. */
  readonly roles: readonly string[] | null;
}

/** What one file says. */
export interface TrustSource {
  readonly file: string;
  /** The environment whose own file it is; null for a trust file. */
  readonly environment: string | null;
  readonly control: string | null;
  readonly people: readonly TrustedPerson[];
  /** Environment → public key of its worker. */
  readonly workers: Readonly<Record<string, string>>;
  /** Of the environment's own file. */
  readonly guardrails: Partial<Readonly<Record<Guarded, Quorum>>>;
}

export interface TrustedKeys {
  readonly control: string | null;
  readonly workers: ReadonlyMap<string, string>;
  readonly sources: readonly TrustSource[];
}

/** All files together, and where they contradict each other, a line for each. */
export function gatherKeys(sources: readonly TrustSource[]): {
  readonly keys: TrustedKeys;
  readonly faults: readonly string[];
} {
  const faults: string[] = [];
  const workers = new Map<string, string>();
  let control: string | null = null;
  for (const { file, control: own, workers: named } of sources) {
    if (own !== null && control !== null && keyBytes(own) !== keyBytes(control))
      faults.push(`${file} control: is another key than the control key named before`);
    control ??= own;
    for (const [name, key] of Object.entries(named)) {
      const before = workers.get(name);
      if (before !== undefined && keyBytes(before) !== keyBytes(key))
        faults.push(`${file}: the worker of ${name} has another key than the one named before`);
      workers.set(name, before ?? key);
    }
  }
  return {
    keys: { control, workers, sources },
    faults: [...faults, ...sharedKeys(sources, control, workers)],
  };
}

/** One key is one person or one worker: under two names it would fill two places. */
function sharedKeys(
  sources: readonly TrustSource[],
  control: string | null,
  workers: ReadonlyMap<string, string>,
): readonly string[] {
  const owners = new Map<string, string>();
  const faults: string[] = [];
  const note = (file: string, key: string, owner: string) => {
    const before = owners.get(keyBytes(key));
    if (before !== undefined && before !== owner)
      faults.push(`${file}: the key of ${owner} is that of ${before}; each has a key of their own`);
    owners.set(keyBytes(key), before ?? owner);
  };
  if (control !== null) note('control', control, 'the control worker');
  for (const [name, key] of workers) note('workers', key, `the worker of ${name}`);
  for (const { file, people } of sources) for (const { name, key } of people) note(file, key, name);
  return faults;
}

/**
 * Who a person of this name may be in an environment: its own file decides where it is at hand, else every file counts.
 */
export function peopleNamed(
  { sources }: TrustedKeys,
  name: string,
  environment: string,
): readonly TrustedPerson[] {
  const own = sources.filter((source) => source.environment === environment);
  return (own.length > 0 ? own : sources).flatMap(({ people }) =>
    people.filter((person) => person.name === name),
  );
}

/** What an environment's own file demands of a kind of message; null where that file is not at hand. */
export function demanded({ sources }: TrustedKeys, environment: string, what: Guarded): Quorum | null {
  return sources.find((source) => source.environment === environment)?.guardrails[what] ?? null;
}
