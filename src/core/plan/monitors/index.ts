// The list of monitor sources: one line each. The schema, the rules about metrics and what a source reads are
// derived from it.
import { command } from './command.ts';
import { counters } from './counters.ts';
import { http } from './http.ts';
import { log } from './log.ts';
import { prometheus } from './prometheus.ts';
import { sessions } from './sessions.ts';
import { sql } from './sql.ts';

export const sources = { command, sql, counters, http, log, sessions, prometheus } as const;

type Sources = typeof sources;
export type SourceKey = keyof Sources;

/** Source → what its reader is handed. */
export type Reads = { readonly [Key in SourceKey]: ReturnType<Sources[Key]['toRead']> };
/** Where the numbers of a monitor come from. */
export type MonitorRead = Reads[SourceKey];
