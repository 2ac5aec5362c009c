// The file of scripted flows: strict, read from top to bottom, saved values between the requests.
import { parse } from 'yaml';
import { z } from 'zod';
import type { Json } from './plan.ts';

const method = { get: z.string(), post: z.string(), put: z.string(), patch: z.string(), delete: z.string() };
const json = z.record(z.string(), z.any());
const request = z
  .strictObject({
    ...Object.fromEntries(Object.keys(method).map((name) => [name, z.string().optional()])),
    body: z.any().optional(),
    headers: z.record(z.string(), z.string()).optional(),
    expect: z.strictObject({ status: z.int(), json: json.optional() }).optional(),
    save: z.record(z.string(), z.string()).optional(),
    'at-once': z.int().min(2).max(50).optional(),
    'expect-each': z.array(z.int()).optional(),
  })
  .refine(
    (step) => Object.keys(method).filter((name) => name in step).length === 1,
    'one of get, post, put, patch, delete',
  )
  .refine(
    (step) =>
      step['at-once'] === undefined
        ? step.expect !== undefined
        : step['expect-each']?.length === step['at-once'],
    'expect, or at-once with expect-each of the same length',
  );
const file = z.object({ flows: z.literal(1) }).catchall(z.array(request));

export interface FlowRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: Json;
  readonly headers?: Readonly<Record<string, string>>;
  readonly expect?: { readonly status: number; readonly json?: Readonly<Record<string, Json>> };
  /** Name → JSON pointer into the answer. */
  readonly save?: Readonly<Record<string, string>>;
  readonly atOnce?: number;
  readonly expectEach?: readonly number[];
}

/**
 * The flows of a file, each a list of requests.
 * @throws Error that names each place and what is wrong there.
 */
export function parseFlows(text: string): Readonly<Record<string, readonly FlowRequest[]>> {
  const result = file.safeParse(parse(text, { maxAliasCount: 0 }));
  if (!result.success)
    throw new Error(
      result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '),
    );
  const { flows: _, ...flows } = result.data;
  return Object.fromEntries(
    Object.entries(flows).map(([name, requests]) => [
      name,
      requests.map((entry) => asRequest(entry as Record<string, unknown>)),
    ]),
  );
}

function asRequest(entry: Record<string, unknown>): FlowRequest {
  const verb = Object.keys(method).find((name) => typeof entry[name] === 'string')!;
  const { body, headers, expect, save } = entry as unknown as FlowRequest;
  return {
    method: verb.toUpperCase(),
    path: String(entry[verb]),
    ...(body !== undefined && { body }),
    ...(headers && { headers }),
    ...(expect && { expect }),
    ...(save && { save }),
    ...(entry['at-once'] !== undefined && {
      atOnce: Number(entry['at-once']),
      expectEach: entry['expect-each'] as number[],
    }),
  };
}

/**
 * Puts saved values in the place of `{name}`; a text that is nothing but `{name}` becomes the value itself.
 */
export function fillIn(template: Json, saved: Readonly<Record<string, Json>>): Json {
  if (typeof template === 'string') {
    const whole = /^\{(\w+)\}$/u.exec(template);
    if (whole && Object.hasOwn(saved, whole[1]!)) return saved[whole[1]!]!;
    return template.replace(/\{(\w+)\}/gu, (written, name: string) =>
      Object.hasOwn(saved, name) ? String(saved[name]) : written,
    );
  }
  if (Array.isArray(template)) return template.map((item: Json) => fillIn(item, saved));
  if (typeof template !== 'object' || template === null) return template;
  return Object.fromEntries(Object.entries(template).map(([key, value]) => [key, fillIn(value, saved)]));
}
