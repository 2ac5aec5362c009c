// Reads YAML text into plain JSON that knows where everything stands. Refuses what reads differently
// under YAML 1.1 and 1.2, and everything a reviewer could overlook: aliases, tags, merge keys, hidden signs.
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type Scalar,
  type YAMLError,
} from 'yaml';
import { type Path, quote, type Remark } from './complaint.ts';
import { MOST_DEPTH, tooMuch } from './source-size.ts';
import { plainRemark, textRemark } from './source-words.ts';

/** A remark whose place in the text is known already. */
export interface PlacedRemark extends Remark {
  readonly offset: number;
}

export interface Source {
  readonly value: unknown;
  readonly remarks: readonly PlacedRemark[];
  /** Whether there is a value: no syntax error. */
  readonly whole: boolean;
  /** Whether a part of the value was left out with its remark: names in it are then not missing. */
  readonly holes: boolean;
  /** Offset of the value at a path, or of its key; of the deepest thing above where there is none. */
  offsetOf(path: Path, at?: 'key'): number;
  /** A scalar as it is written. */
  writtenAt(path: Path): string | undefined;
  position(offset: number): { readonly line: number; readonly column: number };
}

interface Spot {
  readonly offset: number;
  readonly keyOffset?: number;
  readonly written?: string;
  readonly children: ReadonlyMap<string | number, Spot>;
}

interface Reader {
  readonly remarks: PlacedRemark[];
  holes: boolean;
}

/** Reads the text of a plan. Never throws. */
export function readSource(text: string): Source {
  const lines = new LineCounter();
  const refusal = tooMuch(text);
  if (refusal) return source(lines, text, null, [refusal], false);
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
    merge: false,
    version: '1.2',
    logLevel: 'error',
  });
  const syntax = [...syntaxRemarks(document), ...directiveRemarks(document)];
  if (syntax.length) return source(lines, text, null, syntax, false);
  const reader: Reader = { remarks: [], holes: false };
  const { value, spot } = read(reader, document.contents, [], { offset: 0 });
  return source(lines, text, { value, spot }, reader.remarks, true, reader.holes);
}

function source(
  lines: LineCounter,
  text: string,
  root: { value: unknown; spot: Spot } | null,
  remarks: readonly PlacedRemark[],
  whole: boolean,
  holes = false,
): Source {
  if (!lines.lineStarts.length) countLines(lines, text);
  const find = (path: Path): { spot: Spot | undefined; exact: boolean } => {
    let spot = root?.spot;
    for (const part of path) {
      const next = spot?.children.get(part);
      if (!next) return { spot, exact: false };
      spot = next;
    }
    return { spot, exact: true };
  };
  return {
    value: root?.value,
    remarks,
    whole,
    holes,
    offsetOf: (path, at) => {
      const { spot, exact } = find(path);
      return (at === 'key' || !exact ? spot?.keyOffset : undefined) ?? spot?.offset ?? 0;
    },
    writtenAt: (path) => {
      const { spot, exact } = find(path);
      return exact ? spot?.written : undefined;
    },
    position: (offset) => {
      const { line, col } = lines.linePos(Math.min(offset, text.length));
      return { line: Math.max(line, 1), column: Math.max(col, 1) };
    },
  };
}

function countLines(lines: LineCounter, text: string): void {
  lines.addNewLine(0);
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines.addNewLine(at + 1);
}

const syntaxHints: Partial<Record<YAMLError['code'], string>> = {
  TAB_AS_INDENT: 'indent with spaces',
  MULTIPLE_DOCS: 'one plan in one file: take out the ---',
  BAD_INDENT: 'a bracket is not closed, or the line stands too far left',
  RESOURCE_EXHAUSTION: 'it is nested too deep',
  BLOCK_AS_IMPLICIT_KEY: 'put the value on a line of its own, or quote it if it holds ": "',
  UNEXPECTED_TOKEN: 'quote the text if it holds : # { } [ ] , & * or starts with a sign',
};

function syntaxRemarks(document: Document): PlacedRemark[] {
  const seen = new Set<number>();
  return document.errors
    .filter(({ pos: [offset] }) => !seen.has(offset) && seen.add(offset))
    .slice(0, 3)
    .map(({ code, message, pos }) => {
      const said =
        code === 'RESOURCE_EXHAUSTION'
          ? 'is nested too deep'
          : `is not YAML: ${message.charAt(0).toLowerCase()}${message
              .slice(1)
              .replace(/; please.*$/u, '')
              .replace(/\s+/gu, ' ')}`;
      const hint = syntaxHints[code];
      return { path: [], offset: pos[0], message: said, ...(hint && { hint }) };
    });
}

function directiveRemarks(document: Document): PlacedRemark[] {
  const bad = document.warnings.find(({ code }) => code === 'BAD_DIRECTIVE');
  const explicit =
    document.directives?.yaml.explicit || Object.keys(document.directives?.tags ?? {}).length > 1;
  return bad || explicit
    ? [
        {
          path: [],
          offset: bad?.pos[0] ?? 0,
          message: 'a line that starts with % is refused',
          hint: 'take it out; a plan is YAML 1.2 that reads the same under 1.1',
        },
      ]
    : [];
}

type Place = Pick<Spot, 'offset' | 'keyOffset'>;
type Metric = { readonly value: unknown; readonly spot: Spot };

function read(reader: Reader, node: unknown, path: Path, place: Place): Metric {
  const offset = rangeOf(node) ?? place.offset;
  const spot: Spot = { ...place, offset, children: new Map() };
  const refuse = (message: string, hint: string) => reader.remarks.push({ path, offset, message, hint });
  if (isAlias(node)) {
    refuse(`the alias *${shortened(node.source)} is refused`, 'write the value out');
    reader.holes = true;
    return { value: null, spot };
  }
  if (isScalar(node) || isMap(node) || isSeq(node)) {
    if (node.anchor)
      refuse(`the anchor &${shortened(node.anchor)} is refused`, 'take it out and write values out');
    if (node.tag !== undefined)
      refuse(`the tag ${shortened(node.tag)} is refused`, 'take it out; quote the value if it is text');
  }
  if (path.length > MOST_DEPTH) {
    refuse(`is nested deeper than ${MOST_DEPTH} levels`, 'a plan needs six or seven');
    return { value: null, spot };
  }
  if (isMap(node)) return readMap(reader, node.items, path, spot);
  if (isSeq(node)) {
    const items = node.items.map((item, at) =>
      read(reader, item, [...path, at], { offset: rangeOf(item) ?? offset }),
    );
    return {
      value: items.map((item) => item.value),
      spot: { ...spot, children: new Map(items.map((item, at) => [at, item.spot])) },
    };
  }
  return isScalar(node) ? readScalar(reader, node, path, spot) : { value: null, spot };
}

function readMap(
  reader: Reader,
  pairs: readonly { readonly key: unknown; readonly value: unknown }[],
  path: Path,
  spot: Spot,
): Metric {
  const value: Record<string, unknown> = {};
  const children = new Map<string, Spot>();
  for (const pair of pairs) {
    const offset = rangeOf(pair.key) ?? spot.offset;
    const key = readKey(reader, pair.key, path, offset);
    if (key === undefined) {
      reader.holes = true;
      continue;
    }
    if (children.has(key)) {
      reader.remarks.push({
        path: [...path, key],
        offset,
        message: `the key ${quote(key)} is written twice`,
        hint: 'keep one of them',
      });
      reader.holes = true;
      continue;
    }
    const child = read(reader, pair.value, [...path, key], { offset, keyOffset: offset });
    children.set(key, child.spot);
    value[key] = child.value;
  }
  return { value, spot: { ...spot, children } };
}

function readKey(reader: Reader, key: unknown, path: Path, offset: number): string | undefined {
  const refuse = (shown: string, message: string, hint: string) =>
    void reader.remarks.push({ path: [...path, shown], offset, message, hint });
  if (isAlias(key) || isMap(key) || isSeq(key))
    return refuse('?', 'a key is one word', 'lists, blocks and aliases are refused as keys');
  const written = isScalar(key) ? (key.source ?? '') : '';
  if (isScalar(key) && (key.anchor || key.tag !== undefined))
    return refuse(written, 'a key has no anchor and no tag', 'take it out');
  if (written === '<<') return refuse(written, 'merge keys are refused', 'write the values out');
  if (['__proto__', 'constructor', 'prototype'].includes(written))
    return refuse(written, `${written} is refused as a key`, 'choose another name');
  const said = isScalar(key)
    ? ((isPlain(key) ? plainRemark(written) : undefined) ?? textRemark(written))
    : undefined;
  if (said) return refuse(written, said.message, said.hint);
  if (!isScalar(key) || typeof key.value !== 'string')
    return refuse(
      written,
      written ? `${quote(written)} is no text, a key is` : 'a key is missing',
      written ? `quote it: "${written}"` : 'write key: value',
    );
  return key.value;
}

function readScalar(reader: Reader, node: Scalar, path: Path, spot: Spot): Metric {
  const { value } = node;
  const written = isPlain(node) ? node.source : undefined;
  const said =
    typeof value === 'string' || written !== undefined
      ? (textRemark(String(value)) ?? (written !== undefined ? plainRemark(written, value) : undefined))
      : undefined;
  if (said) reader.remarks.push({ path, offset: spot.offset, ...said });
  return { value: value ?? null, spot: { ...spot, ...(written !== undefined && { written }) } };
}

const isPlain = (node: Scalar): boolean => node.type === 'PLAIN';
const shortened = (text: string): string => quote(text).slice(1, -1);
const rangeOf = (node: unknown): number | undefined =>
  isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range?.[0] : undefined;
