// What `soakgate init` has to go by, and what it makes of it.

import type { migrators } from '../../core/plan/migrators/index.ts';

export type MigrationTool = Pick<
  (typeof migrators)[keyof typeof migrators],
  'key' | 'spoken' | 'plainFiles' | 'pattern' | 'find' | 'namesAt' | 'unusable' | 'firstPlan' | 'askDatabase'
>;

/**
 * A folder as it was read: names of its files, the texts of a few, and what git says. Paths count from the
 * folder.
 */
export interface Folder {
  readonly name: string;
  readonly files: readonly string[];
  readonly texts: Readonly<Record<string, string>>;
  readonly git: {
    readonly prefix: string;
    readonly ref: string | null;
    readonly before: { readonly tag: string; readonly files: readonly string[] } | null;
    readonly committed: readonly string[];
  } | null;
}

/** The texts that are read where they are there. */
export const READ = ['package.json', 'manage.py', 'requirements.txt', 'apps.py'] as const;

export interface FoundMigrations {
  readonly tool: MigrationTool;
  /** What the tool is pointed to, counted from the top of the checkout. */
  readonly at: string;
  /** Every migration, in order. */
  readonly all: readonly string[];
  /** Those that the release before does not have; null when no release before is known. */
  readonly fresh: readonly string[] | null;
}

export interface FoundBuild {
  readonly lock: string;
  /** Folder of the built environment, where one can be kept and linked. */
  readonly environment: string | null;
  readonly install: readonly (readonly string[])[];
  readonly path: readonly string[];
}

export interface FoundService {
  readonly name: string;
  readonly unit?: string;
  readonly command?: readonly string[];
}

export interface Found {
  readonly service: string;
  readonly ref: string | null;
  /** The tag of the release before. */
  readonly before: string | null;
  readonly migrations: FoundMigrations | null;
  readonly build: FoundBuild | null;
  readonly services: readonly FoundService[];
  /** What a person should know, one line each. */
  readonly notes: readonly string[];
}
