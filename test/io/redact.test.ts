// What is printed and kept: no given secret, no password in an address or assignment; and JSON stays JSON.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { redact, redactJson, tail } from '../../src/io/redact.ts';

describe('redact', () => {
  test.each([
    ['postgres://u:geheim@h/db', 'postgres://u:•••@h/db'],
    ['PGPASSWORD=geheim psql', 'PGPASSWORD=••• psql'],
    ['password: "geheim", more', 'password: "•••", more'],
    ["{'token': 'geheim'}", "{'token': '•••'}"],
    ['{"api_key":"geheim","n":1}', '{"api_key":"•••","n":1}'],
    [String.raw`"{\"password\":\"geheim\",\"n\":1}"`, String.raw`"{\"password\":\"•••\",\"n\":1}"`],
    ['secret=geheim&x=1', 'secret=•••&x=1'],
    ['the tokens are many', 'the tokens are many'],
  ])('%s', (text, clean) => expect(redact(text)).toBe(clean));

  test('given secrets wherever they stand, but none so short that it would tear words apart', () => {
    expect(redact('a geheim b geheim', ['geheim'])).toBe('a ••• b •••');
    expect(redact('an orange', ['an'])).toBe('an orange');
  });

  test('a JSON text is still JSON afterwards', () => {
    const object = fc.dictionary(
      fc.constantFrom('password', 'token', 'name', 'PGPASSWORD', 'api-key'),
      fc.oneof(fc.string(), fc.jsonValue()),
    );
    fc.assert(fc.property(object, (value) => void JSON.parse(JSON.stringify(redactJson(value)))));
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('password', 'token', 'name'), fc.string()),
        (value) => void JSON.parse(redact(JSON.stringify(value))),
      ),
    );
  });

  test('in a value, by name and by content, at any depth', () => {
    const value = {
      rows: [{ password: 'geheim', note: 'url postgres://u:geheim@h/db' }],
      figures: { n: 1, ok: true, none: null },
    };
    expect(redactJson(value)).toEqual({
      rows: [{ password: '•••', note: 'url postgres://u:•••@h/db' }],
      figures: { n: 1, ok: true, none: null },
    });
    expect(redactJson({ line: 'a geheim' }, ['geheim'])).toEqual({ line: 'a •••' });
  });
});

test('the end of a long text is kept, cut at a line', () => {
  expect(tail('short')).toBe('short');
  const long = `${'x'.repeat(50)}\n${'y'.repeat(50)}\nlast`;
  expect(tail(long, 20)).toBe('… (86 bytes before)\nlast');
});
