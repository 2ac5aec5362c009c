// Counting lines of logs by named patterns: each event once, though a log set-up writes it into several
// files.
import type { LogRead } from './plan/monitors/log.ts';

export interface LogCount {
  /** Name of the pattern → how many new lines fit. */
  readonly counts: Readonly<Record<string, number>>;
  /** Name of the pattern → what its first group caught, with how often; the most frequent first. */
  readonly caught: Readonly<Record<string, string>>;
  /** Lines that fit, with those kept after them. */
  readonly excerpt: readonly string[];
  /** What the next count must not count again. */
  readonly seen: string;
}

const KEPT = 20;
const LONGEST = 500;
const EXCERPT = 20;
const NAMED = 3;

/**
 * One count over the new lines of each file, in the order of the plan. The same line in two files is one
 * event, in one file it is two;
 * `seen` are marks of the last events of the count before, for a record that had reached one file only.
 */
export function countLines(
  { lines: patterns, keep = 0 }: LogRead,
  files: readonly (readonly string[])[],
  seen: string,
): LogCount {
  const expressions = Object.entries(patterns).map(([name, pattern]) => ({
    name,
    pattern: new RegExp(pattern, 'u'),
  }));
  const before = new Set(seen.split(' ').filter((mark) => mark !== ''));
  const counts: Record<string, number> = Object.fromEntries(Object.keys(patterns).map((name) => [name, 0]));
  const caught: Record<string, Map<string, number>> = {};
  const excerpt: string[] = [];
  const marks: string[] = [];
  const elsewhere = new Map<string, number>();
  files.forEach((lines, file) => {
    const here = new Map<string, number>();
    lines.forEach((line, at) => {
      const fits = expressions.flatMap(({ name, pattern }) => {
        const match = pattern.exec(line);
        return match ? [{ name, group: match[1] }] : [];
      });
      if (fits.length === 0) return;
      const times = (here.get(line) ?? 0) + 1;
      here.set(line, times);
      const mark = markOf(line);
      marks.push(`${mark}:${file}`);
      const inAnother = [...before].some(
        (other) => other.startsWith(`${mark}:`) && other !== `${mark}:${file}`,
      );
      if (times <= (elsewhere.get(line) ?? 0) || inAnother) return;
      for (const { name, group } of fits) {
        counts[name] = (counts[name] ?? 0) + 1;
        if (group !== undefined) (caught[name] ??= new Map()).set(group, (caught[name].get(group) ?? 0) + 1);
      }
      excerpt.push(...lines.slice(at, at + 1 + keep).map((kept) => kept.slice(0, LONGEST)));
    });
    for (const [line, times] of here) elsewhere.set(line, Math.max(times, elsewhere.get(line) ?? 0));
  });
  return {
    counts,
    caught: Object.fromEntries(Object.entries(caught).map(([name, groups]) => [name, namesOf(groups)])),
    excerpt: excerpt.slice(0, EXCERPT),
    seen: [...new Set(marks)].slice(-KEPT).join(' '),
  };
}

function namesOf(groups: ReadonlyMap<string, number>): string {
  const sorted = [...groups].toSorted((one, other) => other[1] - one[1]);
  const named = sorted.slice(0, NAMED).map(([group, times]) => `${group.slice(0, 80)} ×${times}`);
  return [...named, ...(sorted.length > NAMED ? [`${sorted.length - NAMED} more`] : [])].join(', ');
}

/** FNV-1a, 32 bits: tells lines apart, hides what stands in them. */
function markOf(line: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < line.length; at += 1) hash = Math.imul(hash ^ line.charCodeAt(at), 0x01000193) >>> 0;
  return hash.toString(36);
}
