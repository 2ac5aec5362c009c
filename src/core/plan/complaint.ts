// What is wrong with a plan: a remark knows the path, a complaint also knows the place in the file.
import { nearestHint } from './nearest.ts';

export type Path = readonly (string | number)[];

/** Something wrong at a path. `at: 'key'` points to the key, otherwise to its value. */
export interface Remark {
  readonly path: Path;
  readonly at?: 'key';
  readonly message: string;
  readonly hint?: string;
  /** A misspelt word and what it may have meant; becomes the hint when the remark is shown. */
  readonly near?: { readonly word: string; readonly known: readonly string[]; readonly otherwise: string };
}

export interface Complaint {
  readonly file: string;
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
  /** `steps[3].migrate.lock-timeout`; empty when it is about the file. */
  readonly path: string;
  readonly message: string;
  /** The nearest key, the expected form, or an example. */
  readonly hint?: string;
}

/** `steps[3].migrate.lock-timeout` */
export function pathText(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    if (/^[\w-]+$/u.test(part)) return text ? `${text}.${part}` : part;
    return `${text}[${quote(part)}]`;
  }, '');
}

/** One line for people and editors: `file:line:column path: what is wrong (nearest key, form or example)`. */
export function renderComplaint(complaint: Complaint): string {
  const { file, line, column, path, message, hint } = complaint;
  return `${file}:${line}:${column}${path ? ` ${path}` : ''}: ${message}${hint ? ` (${hint})` : ''}`;
}

/** A name that stands for nothing: says so and offers the nearest. */
export function unknownName(path: Path, noun: string, name: string, known: readonly string[]): Remark {
  return {
    path,
    message: `there is no ${noun} ${quote(name)}`,
    near: { word: name, known, otherwise: `the plan has no ${noun}` },
  };
}

/**
 * The hint of a remark; the nearest name is looked for only here, because a broken file may have thousands of
 * remarks.
 */
export function hintOf({ hint, near }: Remark): string | undefined {
  return hint ?? (near && (nearestHint(near.word, near.known) ?? near.otherwise));
}

/** A word as it may stand in a message: quoted, on one line, cut, without a password (rule 7). */
export function quote(written: string): string {
  const text = written.replace(/:\/\/[^\s/@]*@/gu, '://***@');
  const quoted = JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
  return quoted.replace(
    /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/gu,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
