// Bodies that are nearly right: true starts and messages with one part of them changed, as JSON or as text.
import fc from 'fast-check';
import type { Json } from '../../src/core/plan/plan.ts';
import { fieldsOf, signedMessage, signedStart } from './deployments.ts';

export interface Bodies {
  /** A deployment that is there. */
  readonly deployment: string;
  /** One of its environments. */
  readonly environment: string;
}

export interface Body {
  readonly to: string;
  readonly bytes: Buffer;
}

type Values = { readonly [key: string]: Json } | readonly Json[];

const deep = (levels: number, open: string, close: string): string =>
  open.repeat(levels) + close.repeat(levels);
/** As JSON text, because no value of JavaScript would be written so. */
const strange = fc.constantFrom(
  'null',
  'true',
  '[]',
  '{}',
  '""',
  '0',
  '-0',
  '-1',
  '1e999',
  '-1e999',
  '1e-999',
  '9007199254740993',
  String.raw`"\ud800"`,
  String.raw`"\udc00\ud800"`,
  String.raw`"\u0000"`,
  '"\u{1f4a5}"',
  '"\u202e"',
  '"__proto__"',
  '{"__proto__":{"admin":true}}',
  '{"constructor":{"prototype":1}}',
  '{"toString":1}',
  '{"a":1,"a":2}',
  '[[[[1]]]]',
  '["a"]',
  `"${'x'.repeat(70_000)}"`,
  `"${'A'.repeat(88)}"`,
  '"AAAA"',
  deep(100, '[', ']'),
  deep(5_000, '[', ']'),
  deep(3_000, '{"a":', '}').replace(':}', ':1}'),
  `${'1'.repeat(400)}`,
  '"2026-13-45T99:99:99Z"',
  '"9999-12-31T23:59:59Z"',
  '"../../etc/passwd"',
);
const text = fc.string({ unit: 'binary', maxLength: 30 }).map((one) => JSON.stringify(one));

/** Every place in a value, as the keys that lead to it. */
function placesIn(value: Json | undefined, to: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [to];
  return [to, ...Object.entries(value).flatMap(([key, member]) => placesIn(member as Json, [...to, key]))];
}

const MARK = '@@here@@';

/** The JSON of a value in which one place holds another text, or is gone. */
function changed(value: Json, place: readonly string[], put: string | null): string {
  if (place.length === 0) return put ?? '';
  const copy = structuredClone(value) as Record<string, Json>;
  let at: Record<string, Json> = copy;
  for (const key of place.slice(0, -1)) at = at[key] as Record<string, Json>;
  const last = place.at(-1)!;
  if (put === null) delete at[last];
  else at[last] = MARK;
  // A function, or a dollar in what is put would be read as a sign.
  return JSON.stringify(copy).replace(JSON.stringify(MARK), () => put ?? '');
}

const inOnePlace = (value: Json): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom(...placesIn(value)), fc.oneof(strange, strange, text, fc.constant(null)))
    .map(([place, put]) => changed(value, place, put));

const more = (value: Values): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom('"__proto__"', '"constructor"', '"more"', '""', String.raw`"\u0000"`), strange)
    .map(([key, put]) => JSON.stringify(value).replace('{', () => `{${key}:${put},`));

/** Changes of the text alone: cut off, doubled, of another encoding. */
const asText = (whole: string): fc.Arbitrary<Buffer> => {
  const bytes = Buffer.from(whole);
  const at = fc.nat(bytes.length - 1);
  return fc.oneof(
    at.map((end) => bytes.subarray(0, end)),
    at.map((place) =>
      Buffer.concat([bytes.subarray(0, place), Buffer.from([0xff, 0x00]), bytes.subarray(place)]),
    ),
    at.map((place) => Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + 1)])),
    fc.tuple(at, fc.nat(255)).map(([place, byte]) => {
      const copy = Buffer.from(bytes);
      copy[place] = byte;
      return copy;
    }),
    fc
      .constantFrom(
        `\u{feff}${whole}`,
        `${whole}${whole}`,
        `[${whole}]`,
        `"${whole}"`,
        whole.replaceAll('"', "'"),
        `${whole} // done`,
        whole.replace(':', ':NaN,"x":'),
        '',
        ' ',
        '{',
        '[',
        '"',
        'null',
        '0',
        '\0',
        deep(100_000, '[', ']'),
        '['.repeat(900_000),
        `{"a":${'['.repeat(20_000)}`,
        whole.padEnd(40_000),
        `${whole.slice(0, -1)},"pad":"${'x'.repeat(2_200_000)}"}`,
      )
      .map((one) => Buffer.from(one)),
    fc.constantFrom('utf16le' as const, 'latin1' as const).map((encoding) => Buffer.from(whole, encoding)),
  );
};

const plan = signedStart().body.planText;
const yamls = fc.constantFrom(
  '',
  '\0',
  '- a',
  'a',
  '[]',
  '{}',
  '%YAML 9.9\n---\n',
  '---\n---\n',
  '\t',
  'a: !!js/function x',
  '? ? ?',

  deep(5_000, '[', ']'),
  deep(60, '{a: ', '}'),
  'a: &a [*a]',
  '<<: *b',
  'a: 1\na: 2',
  '__proto__: { a: 1 }',

  `a: &a [x]\n${'b: [*a,*a,*a,*a,*a,*a,*a]\n'.repeat(500)}`,
  `a: ${'9'.repeat(5_000)}`,
  'a: .inf',
  'a: 0x_',
  'soakgate: 1e400',
  'a: "\\ud800"',
  'a: !!binary "%%"',
  'a: |9\n x',
  'a: >-\n',
  '\u{feff}a: 1',
  'a: @b',
);
const planTexts = fc.oneof(
  yamls,
  yamls.map((odd) => `${plan}\n${odd}`),
  fc.nat(plan.length).map((end) => plan.slice(0, end)),
  fc
    .tuple(fc.nat(plan.length - 1), fc.string({ unit: 'binary', maxLength: 4 }))
    .map(([at, put]) => plan.slice(0, at) + put + plan.slice(at + 1)),
  fc
    .tuple(fc.constantFrom(...plan.match(/\b[\w-]+\b/gu)!), yamls)
    .map(([word, odd]) => plan.replace(word, () => odd)),
);

const asJson = (value: object): Json => JSON.parse(JSON.stringify(value)) as Json;
const utf8 = (json: fc.Arbitrary<string>): fc.Arbitrary<Buffer> => json.map((one) => Buffer.from(one));

/** Starts and messages, each wrong in one place; some messages are wrong in their signature only. */
export function bodyOf({ deployment, environment }: Bodies): fc.Arbitrary<Body> {
  const start = asJson(signedStart());
  const starts = fc.oneof(
    utf8(inOnePlace(start)),
    utf8(inOnePlace(start)),
    utf8(more(start as Values)),
    asText(JSON.stringify(start)),
    utf8(planTexts.map((planText) => JSON.stringify(signedStart({ planText })))),
  );
  const messages = fc
    .tuple(
      fc.constantFrom(...(Object.keys(fieldsOf) as (keyof typeof fieldsOf)[])),
      fc.constantFrom(deployment, 'nowhere'),
      fc.uuid(),
    )
    .chain(([name, to, nonce]) => {
      const message = asJson(signedMessage(name, { deployment: to, environment, nonce }));
      const bytes = fc.oneof(
        utf8(inOnePlace(message)),
        utf8(inOnePlace(message)),
        utf8(more(message as Values)),
        asText(JSON.stringify(message)),
      );
      return bytes.map((one) => ({ to: `/v1/deployments/${to}/messages/${name}`, bytes: one }));
    });
  return fc.oneof(
    starts.map((bytes) => ({ to: '/v1/deployments', bytes })),
    messages,
  );
}
