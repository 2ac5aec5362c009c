// Turns what zod says about the form of a plan into remarks for people: the nearest key, the expected form,
// an example.
import { z } from 'zod';
import { type Path, pathText, quote, type Remark } from './complaint.ts';
import { argvOf, NO_KIND } from './forms.ts';
import { nearest } from './nearest.ts';
import { described, expectsText, formName, keyForm, schemaAt, valueAt } from './schema-at.ts';

type Issue = z.core.$ZodIssue;

interface Context {
  readonly schema: z.ZodType;
  readonly value: unknown;
  readonly writtenAt: (path: Path) => string | undefined;
}

const MISSING = 'is missing';

/** Every remark on the form of `value`; empty when it has the form of the schema. */
export function formRemarks(
  schema: z.ZodType,
  value: unknown,
  writtenAt: (path: Path) => string | undefined,
): readonly Remark[] {
  const result = schema.safeParse(value);
  if (result.success) return [];
  return withoutConsequences(
    result.error.issues.flatMap((issue) => remarksOf({ schema, value, writtenAt }, issue, [])),
  );
}

/** A misspelt key is told once: not also as the missing key that it was meant to be, or as a missing kind. */
function withoutConsequences(remarks: readonly Remark[]): readonly Remark[] {
  const explained = new Set<string>();
  for (const { path, near } of remarks) {
    if (!near) continue;
    const meant = nearest(near.word, near.known);
    const above = path.slice(0, -1);
    if (meant !== undefined) explained.add(`${pathText([...above, meant])} ${MISSING}`);
    explained.add(`${pathText(above)} ${NO_KIND}`);
  }
  return remarks.filter(
    ({ path, message }) =>
      !explained.has(`${pathText(path)} ${message.endsWith(` ${NO_KIND}`) ? NO_KIND : message}`),
  );
}

function remarksOf(context: Context, issue: Issue, above: Path): readonly Remark[] {
  const path = [...above, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))];
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => unknownKey(context, [...path, key], key));
  if (issue.code === 'invalid_key') return [badKey(context, path)];
  if (issue.code === 'invalid_union') return unionRemarks(context, issue, path);
  return [issue.code === 'custom' ? customRemark(issue, path) : valueRemark(context, issue, path)];
}

function badKey(context: Context, path: Path): Remark {
  const form = keyForm(schemaAt(context.schema, path.slice(0, -1), context.value));
  return {
    path,
    at: 'key',
    message: `${quote(String(path.at(-1)))} is not ${formName(form)}`,
    ...exampleHint(form),
  };
}

function customRemark(issue: Issue & { readonly code: 'custom' }, path: Path): Remark {
  const hint = issue.params?.['hint'] as string | undefined;
  return {
    path,
    message: issue.message,
    ...(hint && { hint }),
    ...(issue.params?.['at'] === 'key' && { at: 'key' as const }),
  };
}

function unknownKey(context: Context, path: Path, key: string): Remark {
  const schema = schemaAt(context.schema, path.slice(0, -1), context.value);
  const known = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  return {
    path,
    at: 'key',
    message: `${quote(key)} is unknown here`,
    near: { word: key, known, otherwise: 'take it out' },
  };
}

/** The branch whose outermost form fits speaks; when none does, what is expected is said as a whole. */
function unionRemarks(
  context: Context,
  issue: Issue & { readonly code: 'invalid_union' },
  path: Path,
): readonly Remark[] {
  const fits = (branch: readonly Issue[]) =>
    !branch.some(
      (inner) => inner.path.length === 0 && (inner.code === 'invalid_type' || inner.code === 'invalid_value'),
    );
  const [best] = issue.errors.filter(fits).toSorted((a, b) => a.length - b.length);
  return best
    ? best.flatMap((inner) => remarksOf(context, inner, path))
    : [valueRemark(context, issue, path)];
}

function valueRemark(context: Context, issue: Issue, path: Path): Remark {
  const value = valueAt(context.value, path);
  const schema = schemaAt(context.schema, path, context.value);
  if (value === undefined) return { path, message: MISSING, ...missingHint(schema) };
  if (issue.code === 'too_small' || issue.code === 'too_big') return sizeRemark(schema, issue, value, path);
  if (issue.code === 'invalid_value') return choice(issue.values.map(String), value, path);
  if (expectsText(schema) && typeof value !== 'object' && typeof value !== 'string')
    return noText(context, schema, value, path);
  if (value === null) return nothing(context, schema, path);
  if (schema instanceof z.ZodArray && typeof value === 'string') return listForm(schema, value, path);
  return { path, message: `${show(value)} is not ${formName(schema)}`, ...exampleHint(schema) };
}

function sizeRemark(
  schema: z.ZodType | undefined,
  issue: Issue & { readonly code: 'too_small' | 'too_big' },
  value: unknown,
  path: Path,
): Remark {
  const holder = issue.origin === 'array' || issue.origin === 'string';
  if (issue.code === 'too_small') {
    return holder
      ? { path, message: 'is empty', ...exampleHint(schema) }
      : { path, message: `${show(value)} is too small`, hint: `at least ${issue.minimum}` };
  }
  return {
    path,
    message: holder ? 'is too long' : `${show(value)} is too large`,
    hint: `at most ${issue.maximum}${issue.origin === 'array' ? ' items' : ''}`,
  };
}

function choice(words: readonly string[], value: unknown, path: Path): Remark {
  if (words.length === 1)
    return { path, message: `${show(value)} is not allowed here`, hint: `write ${words[0]}` };
  const near = typeof value === 'string' ? nearest(value, words) : undefined;
  return {
    path,
    message: `${show(value)} is not one of ${words.join(', ')}`,
    ...(near !== undefined && { hint: `nearest: ${near}` }),
  };
}

/** A bare word that YAML takes for a number: quoted it may be right, as a version or an argument is. */
function noText(context: Context, schema: z.ZodType | undefined, value: unknown, path: Path): Remark {
  const written = context.writtenAt(path) ?? JSON.stringify(value);
  if (!schema?.safeParse(written).success)
    return { path, message: `${written} is not ${formName(schema)}`, ...exampleHint(schema) };
  return {
    path,
    message: `${written} is a ${typeof value === 'number' ? 'number' : 'truth value'} here, text is expected`,
    hint: `quote it: "${written}"`,
  };
}

function nothing(context: Context, schema: z.ZodType | undefined, path: Path): Remark {
  const written = context.writtenAt(path);
  if (written && expectsText(schema))
    return {
      path,
      message: `${written} stands for nothing here, text is expected`,
      hint: `quote it: "${written}"`,
    };
  return { path, message: `is empty, ${formName(schema)} is expected`, ...exampleHint(schema) };
}

function listForm(schema: z.ZodArray, value: string, path: Path): Remark {
  const command = formName(schema).startsWith('a command');
  const shell = command && /[|&;<>$`*]/u.test(value) ? '; put pipes and the like into a script' : '';
  const message = command
    ? 'a command is a list of words, not a line for a shell'
    : `a list is expected, not ${show(value)}`;
  return { path, message, hint: `write ${argvOf(value)}${shell}` };
}

function missingHint(schema: z.ZodType | undefined): { hint?: string } {
  const description = described(schema)?.description;
  const parts = [
    description && `${description.charAt(0).toLowerCase()}${description.slice(1)}`,
    exampleHint(schema).hint,
  ].filter(Boolean);
  return parts.length ? { hint: parts.join('; ') } : {};
}

function exampleHint(schema: z.ZodType | undefined): { hint?: string } {
  const examples = described(schema)?.examples as readonly unknown[] | undefined;
  if (examples?.length) return { hint: `e.g. ${examples.map((example) => flow(example)).join(', ')}` };
  if (schema instanceof z.ZodObject) return { hint: `keys: ${Object.keys(schema.shape).join(', ')}` };
  if (schema instanceof z.ZodEnum) return { hint: `one of: ${schema.options.join(', ')}` };
  return schema instanceof z.ZodLiteral ? { hint: `write ${[...schema.values].join(' or ')}` } : {};
}

/** A value in YAML's flow style. */
export function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const members = Object.entries(value).map(([key, member]) => `${key}: ${flow(member)}`);
  return `{ ${members.join(', ')} }`;
}

function show(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a block of keys' : String(value);
}
