// What a line of a runbook is here, and how its entry is written.

/** A test by its file and a distinctive part of its name; what every test that fits has passed is shown. */
export interface Ref {
  readonly file: string;
  readonly title: string;
}

export type Shown =
  | { readonly check: string; readonly test: readonly Ref[] }
  /** What a person decides or states: signed, and found in the evidence, in these tests. */
  | { readonly recorded: string; readonly test: readonly Ref[] }
  /** Why nothing shows it, and what would. */
  | { readonly not: string };

export interface Line {
  readonly id: string;
  /** What is asked, in our words. */
  readonly line: string;
  readonly shown: Shown;
}

/** A measured trap: named by the titles of these tests. */
export interface Trap {
  readonly id: string;
  readonly line: string;
}

/** Names tests of one file. */
export const testsOf =
  (file: string) =>
  (title: string): Ref => ({ file: `test/${file}.test.ts`, title });

/** A check shows it. */
export const passes = (id: string, line: string, check: string, ...test: readonly Ref[]): Line => ({
  id,
  line,
  shown: { check, test },
});
/** A person's signature shows it. */
export const signed = (id: string, line: string, recorded: string, ...test: readonly Ref[]): Line => ({
  id,
  line,
  shown: { recorded, test },
});
/** Nothing shows it. */
export const open = (id: string, line: string, not: string): Line => ({ id, line, shown: { not } });
