// Finds the part of a zod schema that stands at a path of a value, and what it calls itself.
import { z } from 'zod';
import type { Path } from './complaint.ts';

/** The value at a path; undefined where there is none. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, part) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, part)
        ? (inner as Record<string | number, unknown>)[part]
        : undefined,
    value,
  );
}

/** The schema that stands at a path; in a union the branch that the value has the outer form of. */
export function schemaAt(schema: z.ZodType, path: Path, value: unknown): z.ZodType | undefined {
  const inner = unwrap(schema);
  const [part, ...rest] = path;
  if (inner instanceof z.ZodUnion && (part !== undefined || typeof value === 'object')) {
    const branch = inner.options.find((option) => hasForm(option as z.ZodType, value)) as
      | z.ZodType
      | undefined;
    return branch ? schemaAt(branch, path, value) : inner;
  }
  if (part === undefined) return inner;
  const next = valueAt(value, [part]);
  if (inner instanceof z.ZodObject)
    return Object.hasOwn(inner.shape, part)
      ? schemaAt(inner.shape[part] as z.ZodType, rest, next)
      : undefined;
  if (inner instanceof z.ZodArray) return schemaAt(inner.element as z.ZodType, rest, next);
  if (inner instanceof z.ZodRecord) return schemaAt(inner.valueType as z.ZodType, rest, next);
  return undefined;
}

/** What keys of this record look like. */
export const keyForm = (schema: z.ZodType | undefined): z.ZodType | undefined =>
  schema instanceof z.ZodRecord ? (schema.keyType as z.ZodType) : undefined;

/** Title, description and examples of a schema. */
export const described = (schema: z.ZodType | undefined): z.core.GlobalMeta | undefined =>
  schema && { ...unwrap(schema).meta(), ...schema.meta() };

/** What a value of this schema is called, with its article: `a duration`. */
export function formName(schema: z.ZodType | undefined): string {
  const title = described(schema)?.title ?? plainTitle(schema && unwrap(schema));
  if (/^(?:an? |text|columns|any value)/u.test(title)) return title;
  return /^(?:[aeio]|upper|HTTP)/u.test(title) ? `an ${title}` : `a ${title}`;
}

function plainTitle(schema: z.ZodType | undefined): string {
  if (schema instanceof z.ZodArray) return 'list';
  if (schema instanceof z.ZodObject || schema instanceof z.ZodRecord) return 'block of keys';
  if (schema instanceof z.ZodBoolean) return 'truth value (true or false)';
  return schema instanceof z.ZodNumber ? 'whole number' : 'text';
}

/** Whether a text may stand there. */
export const expectsText = (schema: z.ZodType | undefined): boolean =>
  schema instanceof z.ZodString ||
  (schema instanceof z.ZodUnion && schema.options.some((option) => expectsText(option as z.ZodType)));

function hasForm(option: z.ZodType, value: unknown): boolean {
  const inner = unwrap(option);
  if (Array.isArray(value)) return inner instanceof z.ZodArray;
  const block = inner instanceof z.ZodObject || inner instanceof z.ZodRecord;
  if (typeof value === 'object' && value !== null) return block;
  return !(block || inner instanceof z.ZodArray);
}

const unwrap = (schema: z.ZodType): z.ZodType =>
  schema instanceof z.ZodOptional ? unwrap(schema.unwrap() as z.ZodType) : schema;
