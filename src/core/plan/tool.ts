// What a tool is that a plan may name: the form of its options, what is filled in, the programs it runs (rule
// 11).
import type { z } from 'zod';
import type { Argv, Json } from './values.ts';

export interface ToolDefinition<
  Key extends string,
  Shape extends z.ZodRawShape,
  Defaults extends Readonly<Record<string, Json>>,
> {
  /** The key in the plan. */
  readonly key: Key;
  /** One line for people. */
  readonly meaning: string;
  readonly options: Shape;
  /** What is filled in where it is left out. */
  readonly defaults: Defaults;
  /** The programs that its options name, for the guardrails. */
  readonly programs: (options: ToolOptions<Shape, Defaults>) => readonly Argv[];
}

/** The options of a tool as its adapter is handed them. */
export type ToolOptions<Shape extends z.ZodRawShape, Defaults> = Readonly<z.output<z.ZodObject<Shape>>> & {
  readonly [Key in keyof Defaults]: Key extends keyof z.output<z.ZodObject<Shape>>
    ? Exclude<z.output<z.ZodObject<Shape>>[Key], undefined>
    : never;
};

/** A tool, with the types of its options inferred from its one file. */
export const defineTool = <
  const Key extends string,
  Shape extends z.ZodRawShape,
  const Defaults extends Readonly<Record<string, Json>>,
>(
  tool: ToolDefinition<Key, Shape, Defaults>,
): ToolDefinition<Key, Shape, Defaults> => tool;

/** What the tool is to be told: what was written, and the rest filled in. */
export function filledIn(
  tool: { readonly defaults: Readonly<Record<string, Json>> } | undefined,
  written: Readonly<Record<string, unknown>>,
): Readonly<Record<string, Json>> {
  return { ...tool?.defaults, ...(written as Readonly<Record<string, Json>>) };
}
