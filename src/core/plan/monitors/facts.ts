// What the list of sources says about a monitor of a plan.
import type { Argv } from '../values.ts';
import { type MonitorRead, type SourceKey, sources } from './index.ts';
import type { Given } from './source.ts';

/** A source as the whole sees it, whatever its own types are. */
interface Definition {
  readonly key: SourceKey;
  readonly beside: object;
  readonly given?: (read: never) => Given;
  readonly needsPlaces?: true;
  readonly givesRatios?: true;
  readonly countsSince: (read: never) => boolean;
  readonly asksOverHttp?: true;
  readonly readsDatabase?: true;
  readonly measures?: (read: never) => string;
  readonly files: (read: never) => readonly string[];
  readonly programs: (read: never) => readonly Argv[];
}

const definitions: readonly Definition[] = Object.values(sources);

const sourceOf = (read: MonitorRead): Definition => definitions.find(({ key }) => key in read)!;

/** The key of a monitor's source. */
export const sourceKey = (read: MonitorRead): SourceKey => sourceOf(read).key;

/** The metrics that it gives by itself; null where they are places in what it answers. */
export const metricsGiven = (read: MonitorRead): Given | null =>
  sourceOf(read).given?.(read as never) ?? null;

/** Whether each of its metrics must say where it stands. */
export const needsPlaces = (read: MonitorRead): boolean => sourceOf(read).needsPlaces === true;

/** Whether its metrics may be ratios. */
export const givesRatios = (read: MonitorRead): boolean => sourceOf(read).givesRatios === true;

/** Whether it says what happened since its last sample. */
export const countsSince = (read: MonitorRead): boolean => sourceOf(read).countsSince(read as never);

/** Whether it asks the service over HTTP. */
export const readsOverHttp = (read: MonitorRead): boolean => sourceOf(read).asksOverHttp === true;

/** Whether it opens a session of the database. */
export const readsDatabase = (read: MonitorRead): boolean => sourceOf(read).readsDatabase === true;

/** The path whose latency in the baseline is the baseline of its own `latency`. */
export const measuredPath = (read: MonitorRead): string | undefined =>
  sourceOf(read).measures?.(read as never);

/** Files of the release that it names. */
export const filesRead = (read: MonitorRead): readonly string[] => sourceOf(read).files(read as never);

/** The programs it runs. */
export const programsRead = (read: MonitorRead): readonly Argv[] => sourceOf(read).programs(read as never);

/** Keys of `read` that go with one source only → that source. */
export const keysBeside: Readonly<Record<string, SourceKey>> = Object.fromEntries(
  definitions.flatMap(({ key, beside }) => Object.keys(beside).map((name) => [name, key])),
);
