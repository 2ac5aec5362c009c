// The delta of an environment: what is different between baseline and after, in catalog, rows, latency and
// findings.
import type { EnvironmentOutcome } from './activities.ts';
import type { Person } from './quorum.ts';
import { compareSnapshots, type Snapshot } from './snapshot.ts';

export interface Latency {
  /** Milliseconds; null when nothing was answered. */
  readonly mean: number | null;
  readonly p95: number | null;
  readonly failed: number;
}
export type Latencies = Readonly<Record<string, Latency>>;

/** What one data step found, by category. */
export interface FoundBy {
  readonly step: string;
  readonly counts: Readonly<Record<string, number>>;
}

/** What lies in the evidence folder about one environment; null where nothing was written. */
export interface PlaceRecord {
  readonly baseline: Snapshot | null;
  readonly after: Snapshot | null;
  readonly http: { readonly baseline: Latencies | null; readonly after: Latencies | null };
  readonly findings: { readonly baseline: readonly FoundBy[]; readonly after: readonly FoundBy[] };
  /** The metrics of soak or watch: how many, and the time between the first and the last. */
  readonly observed: { readonly phase: string; readonly metrics: number; readonly realMs: number } | null;
  /** Who has signed the start, as this environment's worker has verified it; empty where it was not entered. */
  readonly startSigners: readonly Pick<Person, 'name' | 'roles'>[];
}

interface Changed {
  readonly object: string;
  readonly was: string | null;
  readonly is: string | null;
}

export interface Delta {
  readonly environment: string;
  readonly outcome: string;
  readonly catalog: {
    readonly added: readonly Changed[];
    readonly removed: readonly Changed[];
    readonly changed: readonly Changed[];
  };
  /** Tables whose content is not the same. */
  readonly rows: readonly {
    readonly table: string;
    readonly was: number | null;
    readonly is: number | null;
  }[];
  readonly http: readonly {
    readonly path: string;
    readonly was: Latency | null;
    readonly is: Latency | null;
  }[];
  readonly findings: readonly {
    readonly step: string;
    readonly category: string;
    readonly was: number;
    readonly is: number | null;
  }[];
  readonly undone: readonly string[];
  readonly differences: readonly string[];
  readonly writtenSince: readonly string[];
  /** What could not be compared, and why. */
  readonly missing: readonly string[];
}

/** Compares what was recorded before with what was recorded after. */
export function deltaOf(outcome: EnvironmentOutcome, record: PlaceRecord): Delta {
  const { baseline, after } = record;
  const both = baseline && after ? { baseline, after } : null;
  return {
    environment: outcome.environment,
    outcome: outcome.outcome,
    catalog: both ? catalogDelta(both.baseline, both.after) : { added: [], removed: [], changed: [] },
    rows: both ? rowsDelta(both.baseline, both.after) : [],
    http: httpDelta(record.http.baseline ?? {}, record.http.after ?? {}),
    findings: findingsDelta(record.findings.baseline, record.findings.after),
    undone: outcome.undos
      .filter(({ done }) => done)
      .map((undo) => `${undo.undo} (${undo.step}): ${undo.summary}`),
    differences: outcome.differences,
    writtenSince: outcome.comparison?.writtenSince ?? [],
    missing: [
      ...(baseline
        ? []
        : [
            'the database was not recorded before the change: the plan has no baseline step, or the ' +
              'step did not run',
          ]),
      ...(after ? [] : ['the database was not recorded after the change']),
      ...(Object.keys(record.http.baseline ?? {}).length > 0 && !record.http.after
        ? ['the addresses were not measured after the change']
        : []),
    ],
  };
}

function catalogDelta(was: Snapshot, is: Snapshot): Delta['catalog'] {
  const all = compareSnapshots(
    { ...was, content: {}, sequences: {} },
    { ...is, content: {}, sequences: {} },
  ).map((difference) => ({
    object: difference.object,
    was: difference.was,
    is: difference.is,
  }));
  return {
    added: all.filter((entry) => entry.was === null),
    removed: all.filter((entry) => entry.is === null),
    changed: all.filter((entry) => entry.was !== null && entry.is !== null),
  };
}

function rowsDelta(was: Snapshot, is: Snapshot): Delta['rows'] {
  const tables = [...new Set([...Object.keys(was.content), ...Object.keys(is.content)])].sort();
  return tables
    .filter(
      (table) =>
        was.content[table]?.hash !== is.content[table]?.hash ||
        was.content[table]?.rows !== is.content[table]?.rows,
    )
    .map((table) => ({ table, was: was.content[table]?.rows ?? null, is: is.content[table]?.rows ?? null }));
}

function httpDelta(was: Latencies, is: Latencies): Delta['http'] {
  const paths = [...new Set([...Object.keys(was), ...Object.keys(is)])].sort();
  return paths.map((path) => ({ path, was: was[path] ?? null, is: is[path] ?? null }));
}

/** `is` is null where the rows were not looked at again. */
function findingsDelta(before: readonly FoundBy[], after: readonly FoundBy[]): Delta['findings'] {
  const steps = [...new Set([...before, ...after].map((found) => found.step))];
  return steps.flatMap((step) => {
    const [was, is] = [before, after].map((list) => list.find((found) => found.step === step)?.counts);
    const categories = [...new Set([...Object.keys(was ?? {}), ...Object.keys(is ?? {})])];
    return categories.map((category) => ({
      step,
      category,
      was: was?.[category] ?? 0,
      is: is ? (is[category] ?? 0) : null,
    }));
  });
}

/** The delta as a page for people. */
export function deltaText(deployment: string, deltas: readonly Delta[]): string {
  return [`# ${deployment}: what changed`, '', ...deltas.flatMap(sectionOf)].join('\n');
}

function sectionOf(delta: Delta): string[] {
  const { catalog } = delta;
  const list = (title: string, lines: readonly string[]) =>
    lines.length > 0 ? [`### ${title}`, '', ...lines.map((line) => `- ${line}`), ''] : [];
  return [
    `## ${delta.environment}: ${delta.outcome}`,
    '',
    ...list(
      'Added',
      catalog.added.map((entry) => `\`${entry.object}\`: ${code(entry.is)}`),
    ),
    ...list(
      'Removed',
      catalog.removed.map((entry) => `\`${entry.object}\`: it was ${code(entry.was)}`),
    ),
    ...list(
      'Changed',
      catalog.changed.map((entry) => `\`${entry.object}\`: was ${code(entry.was)}, is ${code(entry.is)}`),
    ),
    ...(catalog.added.length + catalog.removed.length + catalog.changed.length === 0 &&
    delta.missing.length === 0
      ? ['The schema is the same as before.', '']
      : []),
    ...table(
      'Rows',
      ['table', 'before', 'after'],
      delta.rows.map((row) => [
        row.table,
        row.was,
        row.is === row.was ? `${row.is} (other content)` : row.is,
      ]),
    ),
    ...table(
      'Findings',
      ['step', 'category', 'before', 'after'],
      delta.findings.map((found) => [found.step, found.category, found.was, found.is ?? 'not checked again']),
    ),
    ...addresses(delta),
    ...list('Undone', delta.undone),
    ...list('Written by others since the backup, or kept as fixed', delta.writtenSince),
    ...list('Differences that remain', delta.differences),
    ...list('Not compared', delta.missing),
  ];
}

function addresses({ http }: Delta): readonly string[] {
  return table(
    'Addresses',
    ['path', 'mean before', 'mean after', 'p95 before', 'p95 after', 'failed before', 'failed after'],
    http.map(({ path, was, is }) => [
      path,
      ms(was?.mean),
      ms(is?.mean),
      ms(was?.p95),
      ms(is?.p95),
      was?.failed ?? 'not measured',
      is?.failed ?? 'not measured',
    ]),
  );
}

export function table(
  title: string,
  head: readonly string[],
  rows: readonly (readonly (string | number | null)[])[],
  level = '###',
): readonly string[] {
  if (rows.length === 0) return [];
  const line = (cells: readonly (string | number | null)[]) =>
    `| ${cells
      .map((cell) =>
        String(cell ?? '–')
          .replaceAll('|', '\\|')
          .replaceAll('\n', ' '),
      )
      .join(' | ')} |`;
  return [
    ...(title ? [`${level} ${title}`, ''] : []),
    line(head),
    `|${head.map(() => '---').join('|')}|`,
    ...rows.map(line),
    '',
  ];
}

const code = (text: string | null): string =>
  `\`${(text ?? 'none').replaceAll('`', "'").replaceAll(/\s+/gu, ' ').trim() || 'empty'}\``;
export const ms = (value: number | null | undefined): string =>
  value === null || value === undefined ? 'not measured' : `${value.toFixed(1)} ms`;
