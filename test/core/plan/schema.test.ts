import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { planReference } from '../../../scripts/plan-reference.ts';
import { schemaText } from '../../../scripts/write-schema.ts';
import { planJsonSchema } from '../../../src/core/plan/schema.ts';

const read = (file: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../${file}`, import.meta.url)), 'utf8');

/** The path of every key whose schema says nothing about it. */
function undescribed(schema: unknown, path: string): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([key, part]) => {
    if (key !== 'properties')
      return ['items', 'additionalProperties', 'anyOf', 'allOf'].includes(key) || Array.isArray(schema)
        ? undescribed(part, path)
        : [];
    return Object.entries(part as Record<string, { description?: string }>).flatMap(([name, member]) => [
      ...(member.description ? [] : [`${path}.${name}`]),
      ...undescribed(member, `${path}.${name}`),
    ]);
  });
}

/** The path of every block that lets unknown keys pass. */
function open(schema: unknown, path: string): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const block =
    'properties' in schema && !('additionalProperties' in schema && schema.additionalProperties === false);
  return [
    ...(block ? [path] : []),
    ...Object.entries(schema).flatMap(([key, part]) => open(part, `${path}/${key}`)),
  ];
}

describe('the published schema', () => {
  test('is draft-07, describes every key, and is strict throughout', () => {
    const schema = planJsonSchema();
    expect(schema['$schema']).toBe('http://json-schema.org/draft-07/schema#');
    expect(undescribed(schema, '')).toEqual([]);
    expect(open(schema, '')).toEqual([]);
  });

  test('schema.json is what the code says', () => {
    expect(read('schema.json') === schemaText(), 'run: npm run generate').toBe(true);
  });

  test('docs/plan.md is what the schema says', () => {
    expect(read('docs/plan.md') === planReference(), 'run: npm run generate').toBe(true);
  });
});
