// What a migration tool is in core: its options, and how `init` finds it in a folder.
import type { z } from 'zod';
import { oneOrMore, table } from '../forms.ts';
import { defineTool, type ToolDefinition, type ToolOptions } from '../tool.ts';
import type { Json } from '../values.ts';

/** The files of a release as `init` reads them. Paths count from its folder. */
export interface ReleaseFiles {
  readonly files: readonly string[];
  /** The texts of a few of them. */
  readonly texts: Readonly<Record<string, string>>;
}

/** Migrations as their files tell of them; whether they are applied only the database can say. */
export interface FoundFiles {
  /** What the tool is pointed to; counted from the folder. */
  readonly at: string;
  /** What a person should know, one line each. */
  readonly notes: readonly string[];
}

export interface MigratorDefinition<
  Key extends string,
  Shape extends z.ZodRawShape,
  Defaults extends Readonly<Record<string, Json>>,
> extends ToolDefinition<Key, Shape, Defaults> {
  /** A declaration of it, for hints. */
  readonly example: string;
  /** How people name its migrations: `there is: …`. */
  readonly spoken: string;
  /** Plain files, which any tool may have left: a framework found beside them wins. */
  readonly plainFiles: boolean;
  /** Files that are migrations of this tool. */
  readonly pattern: RegExp;
  /**
   * Where its migrations lie, the most likely place first; empty where there are none that it can take back.
   */
  readonly find: (folder: ReleaseFiles) => readonly FoundFiles[];
  /** Every migration there, in order. */
  readonly namesAt: (folder: ReleaseFiles, at: string) => readonly string[];
  /** What is found but cannot be used, and why. */
  readonly unusable: (folder: ReleaseFiles) => readonly string[];
  /** Its options in the first plan of a folder, each with what a person must look at. */
  readonly firstPlan: (at: string) => readonly (readonly [key: string, value: string, comment: string])[];
  /** How a person learns what is applied. */
  readonly askDatabase: string;
  /** Tables that are the app's own journal: left out of comparisons of content. */
  readonly journals: (options: ToolOptions<Shape, Defaults>) => readonly string[];
}

/** The same option for every tool. */
export const journal = oneOrMore(table)
  .describe(
    "The application's own records of changes (audit logs); their rows are excluded from every comparison",
  )
  .optional();

/** A migration tool, with the types of its options inferred from its one file. */
export const defineMigrator = <
  const Key extends string,
  Shape extends z.ZodRawShape,
  const Defaults extends Readonly<Record<string, Json>>,
>(
  migrator: MigratorDefinition<Key, Shape, Defaults>,
): MigratorDefinition<Key, Shape, Defaults> => ({ ...migrator, ...defineTool(migrator) });
