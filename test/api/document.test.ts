// The OpenAPI document is whole, and docs/api.md says what it says.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { kinds } from '../../src/api/problems.ts';
import { failures } from '../../src/core/failures.ts';
import { fieldsOf, standIn } from './deployments.ts';

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema: object;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
  readonly responses: Readonly<
    Record<
      string,
      {
        readonly description: string;
        readonly content: Readonly<Record<string, { readonly schema: object }>>;
      }
    >
  >;
}
interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, object>>>>;
}

const document = (await (await standIn().get('/v1/openapi.json')).json()) as Document;
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    route: `${method.toUpperCase()} ${path}`,
    path,
    ...operation,
  })),
);
/** What every route may answer, and the page says once. */
const everywhere = ['421', '500'];

/** All values under a key, wherever it stands. */
function* found(value: unknown, key: string): Generator {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    if (name === key) yield member;
    yield* found(member, key);
  }
}

describe('the OpenAPI document', () => {
  test('names itself, and each operation once', () => {
    expect(document.openapi).toMatch(/^3\.1\.\d+$/u);
    expect(document.info).toMatchObject({ title: 'Soakgate', version: '1' });
    const ids = operations.map(({ operationId }) => operationId);
    expect([...new Set(ids)]).toEqual(ids);
    expect(operations.length).toBe(9);
  });

  test('refers only to what is in it', () => {
    const missing = [...found(document, '$ref')].filter((ref) => {
      const [, , kind = '', name = ''] = String(ref).split('/');
      return document.components[kind]?.[name] === undefined;
    });
    expect(missing).toEqual([]);
  });

  test('has patterns that JSON Schema can read', () => {
    const patterns = [...found(document, 'pattern')].map(String);
    expect(patterns.length).toBeGreaterThan(5);
    for (const pattern of patterns) {
      expect(pattern).toMatch(/\$$/u);
      expect(() => new RegExp(pattern, 'u')).not.toThrow();
    }
  });

  test.each(operations)(
    '$route declares its parameters, and JSON for every answer',
    ({ path, parameters = [], responses }) => {
      const inPath = parameters
        .filter(({ in: place, required }) => place === 'path' && required)
        .map(({ name }) => `{${name}}`);
      expect(inPath.sort()).toEqual((path.match(/\{\w+\}/gu) ?? []).sort());
      for (const [status, { description, content }] of Object.entries(responses)) {
        expect(description).not.toBe('');
        expect(Object.keys(content)).toEqual([
          Number(status) < 400 ? 'application/json' : 'application/problem+json',
        ]);
      }
      expect(Object.keys(responses)).toEqual(expect.arrayContaining(everywhere));
    },
  );
});

describe('docs/api.md', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/api.md'), 'utf8');
  const lines = page.split('\n');

  test('has no route that is not there', () => {
    const written = lines.flatMap((line) => /^\| `((?:GET|POST) \S+)`/u.exec(line)?.[1] ?? []);
    expect(written.sort()).toEqual(operations.map(({ route }) => route).sort());
  });

  test.each(operations)('$route: every status', ({ route, responses }) => {
    const row = lines.find((line) => line.startsWith(`| \`${route}\``)) ?? '';
    const said = [...(row.split('|')[3] ?? '').matchAll(/\b[2-5]\d\d\b/gu)].map(([status]) => status);
    expect(said.sort()).toEqual(
      Object.keys(responses)
        .filter((status) => !everywhere.includes(status))
        .sort(),
    );
  });

  test('every code with its status, and every message', () => {
    const codes = {
      ...Object.fromEntries(Object.entries(kinds).map(([code, { status }]) => [code, status])),
      internal: 500,
    };
    for (const [code, status] of Object.entries(codes))
      expect(page).toMatch(new RegExp(`^\\| \`${code}\` \\| [0-9, ]*${status}[0-9, ]* \\|`, 'mu'));
    for (const message of Object.keys(fieldsOf)) expect(page).toContain(`\`${message}\``);
    expect(Object.keys(failures)).toContain(/`([A-Z_]{5,})`/u.exec(page)?.[1]);
  });
});
