// The list of restarters: one line each.
import type { ToolDefinition, ToolOptions } from '../tool.ts';
import { compose } from './compose.ts';
import { processTool } from './process.ts';
import { supervisor } from './supervisor.ts';
import { systemd } from './systemd.ts';

export const restarters = { process: processTool, systemd, supervisor, compose } as const;

type Restarters = typeof restarters;
export type RestarterKey = keyof Restarters;

/** Restarter → the options that its adapter is handed. */
export type RestarterOptions = {
  readonly [Key in RestarterKey]: Restarters[Key] extends ToolDefinition<string, infer Shape, infer Defaults>
    ? ToolOptions<Shape, Defaults>
    : never;
};
