// Whether two definitions of a catalog say the same: PostgreSQL prints an expression anew each time that it
// is read back from SQL.

/**
 * A definition as it can be compared. PostgreSQL sets every group in parentheses of its own when it prints
 * (`pg_get_constraintdef` and its
 * like, not pretty), so the groups are kept; what differs between two printings of one expression is left
 * out: casts between text types,
 * parentheses around a single value and doubled ones, and white space.
 */
export function normalise(definition: string): string {
  const quoted: string[] = [];
  const code = definition
    .replace(QUOTED, (part) => `§${quoted.push(part) - 1}§`)
    .replace(TEXT_CAST, '')
    .replace(/\s+/gu, ' ')
    .trim();
  return withoutNeedlessGroups(code).replace(/§(\d+)§/gu, (_, at: string) => quoted[Number(at)]!);
}

/** Literals, quoted names and bodies of functions; what stands in them always counts. */
const QUOTED = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\$[a-z_]*\$[\s\S]*?\$[a-z_]*\$/gu;
/** Without a length, which cuts: only then a value stays what it is. */
const TEXT_CAST = /::(?:text|character varying|bpchar|character(?! varying))(?:\[\])?(?![\w([])/gu;

/** What stands between two parentheses, and the groups within. */
type Group = (string | Group)[];

function withoutNeedlessGroups(code: string): string {
  const group = parse(code);
  return group ? print(simplify(group)) : code;
}

/** Null where parentheses do not match. */
function parse(code: string): Group | null {
  const open: Group[] = [[]];
  for (const part of code.split(/([()])/u)) {
    if (part === '(') open.push([]);
    else if (part === ')') {
      const closed = open.pop()!;
      if (open.length === 0) return null;
      open.at(-1)!.push(closed);
    } else if (part !== '') open.at(-1)!.push(part);
  }
  return open.length === 1 ? open[0]! : null;
}

const print = (group: Group): string =>
  group.map((part) => (typeof part === 'string' ? part : `(${print(part)})`)).join('');

const ONE = /^(?:-?[\w.§]+|ARRAY\[[^[\]]*\])$/u;

/**
 * From within to without: `((x))` → `(x)`, `(x)` → `x`, `((a AND b) AND c)` → `(a AND b AND c)`; the
 * parentheses of a call stay.
 */
function simplify(group: Group): Group {
  const simple: Group = [];
  const parts = group.map((part) => (typeof part === 'string' ? part : undoubled(simplify(part))));
  for (const [at, part] of parts.entries()) {
    const [before, after] = [simple.at(-1) ?? '', parts[at + 1] ?? ''];
    const alone =
      typeof part !== 'string' &&
      part.length === 1 &&
      typeof part[0] === 'string' &&
      ONE.test(part[0]) &&
      !/[\w§]$/u.test(String(before));
    if (typeof part === 'string' || (!alone && !isOperand(part, parts, before, after))) append(simple, part);
    else for (const inner of part) append(simple, inner);
  }
  return simple;
}

/** A row within a call, `f((a, b))`, is not doubled. */
function undoubled(group: Group): Group {
  const [only] = group;
  const isRow = (inner: Group) =>
    inner.some((part) => typeof part === 'string' && part.replaceAll(/\[[^[\]]*\]/gu, '').includes(','));
  return group.length === 1 && typeof only === 'object' && !isRow(only) ? only : group;
}

/** `x AND y` within `… AND …`: as SQL is read, both are one list. */
function isOperand(part: Group, within: Group, before: string | Group, after: string | Group): boolean {
  const word = connective(part);
  if (word === null || connective(within) !== word || typeof before !== 'string' || typeof after !== 'string')
    return false;
  return (before === '' || before.endsWith(` ${word} `)) && (after === '' || after.startsWith(` ${word} `));
}

function connective(group: Group): 'AND' | 'OR' | null {
  const words = group.flatMap((part) =>
    typeof part === 'string' ? [...part.matchAll(/ (AND|OR) /gu)].map(([, word]) => word) : [],
  );
  const [word] = words;
  return (word === 'AND' || word === 'OR') && words.every((other) => other === word) ? word : null;
}

function append(group: Group, part: string | Group): void {
  const last = group.at(-1);
  if (typeof part === 'string' && typeof last === 'string') group[group.length - 1] = last + part;
  else group.push(part);
}
