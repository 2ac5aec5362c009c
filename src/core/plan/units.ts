// The units of a plan: durations, sizes and ratios, read from words and written back.
// Everything becomes one number: milliseconds, bytes, a fraction.

const DURATIONS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const SIZES = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
} as const;
type DurationUnit = keyof typeof DURATIONS;
type SizeUnit = keyof typeof SIZES;

const NUMBER = '(?:0|[1-9][0-9]{0,14})(?:\\.[0-9]{1,6})?';
/** Patterns without anchors, so that the grammar of thresholds and the published schema share them. */
export const DURATION_PATTERN = `${NUMBER}(?:ms|s|m|h|d|w)`;
export const SIZE_PATTERN = `${NUMBER}(?:B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)`;
export const PERCENT_PATTERN = `${NUMBER}%`;
export const NUMBER_PATTERN = NUMBER;

const duration = new RegExp(`^(${NUMBER})(ms|s|m|h|d|w)$`, 'u');
const size = new RegExp(`^(${NUMBER})(B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)$`, 'u');
const percent = new RegExp(`^(${NUMBER})%$`, 'u');

/** `50ms`, `10m`, `7d` as whole milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = duration.exec(text);
  if (!match) return undefined;
  const ms = Number(match[1]) * DURATIONS[match[2] as DurationUnit];
  return Number.isSafeInteger(ms) ? ms : undefined;
}

/** The shortest words for whole milliseconds: the largest unit that divides them. */
export function formatDuration(ms: number): string {
  const units = Object.entries(DURATIONS)
    .filter(([name]) => name !== 'w')
    .reverse();
  for (const [name, length] of units) if (ms >= length && ms % length === 0) return `${ms / length}${name}`;
  return `${ms}ms`;
}

/** `20GB`, `512MiB` as whole bytes; undefined for anything else. */
export function parseSize(text: string): number | undefined {
  const match = size.exec(text);
  if (!match) return undefined;
  const bytes = Number(match[1]) * SIZES[match[2] as SizeUnit];
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** `95%` as a fraction (0.95), free of the dust that division by 100 leaves; undefined for anything else. */
export function parsePercent(text: string): number | undefined {
  const match = percent.exec(text);
  return match ? exact(Number(match[1]) / 100) : undefined;
}

/** A plain number as thresholds write it: `90`, `0.5`. */
export function parseNumber(text: string): number | undefined {
  return new RegExp(`^${NUMBER}$`, 'u').test(text) ? Number(text) : undefined;
}

/** Rounds away what binary fractions add: 0.07000000000000001 becomes 0.07. */
export const exact = (value: number): number => Number(value.toPrecision(15));
