// Whatever a file of up to 1 MB holds, it is read or refused in a time that grows with its length only. Nothing is
// measured here but that: reading one word of 1 MB took nine minutes, and none of these may take more than seconds.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parsePlan } from '../../../src/core/plan/parse.ts';

const MB = 1_000_000;
const SECONDS = 10;
const plan = readFileSync(
  join(import.meta.dirname, '../../../examples/orders/releases/v2/soakgate.yaml'),
  'utf8',
);
const many = (text: string): string => text.repeat(Math.ceil(MB / text.length)).slice(0, MB);
const numbered = (line: (at: number) => string, between = '\n'): string => {
  const lines: string[] = [];
  for (let length = 0, at = 0; length < MB - 20; at += 1)
    length += lines[lines.push(line(at)) - 1]!.length + 1;
  return lines.join(between);
};
const condition = (text: string): string => plan.replace(/bad: .*/u, `bad: "${text.slice(0, MB - 10_000)}"`);

test.each<[string, string]>([
  ['one word', many('a')],
  ['one word as a value', `soakgate: ${many('a').slice(20)}`],
  ['one word in quotes', `soakgate: "${many('a').slice(20)}"`],
  ['digits and lines between them', `a: ${many('1_').slice(9)}x`],
  ['colons', `a: "${many('a:').slice(9)}"`],
  ['addresses', `a: "${many('a://').slice(9)}"`],
  ['addresses with a password', `a: "${many('a://b:c@').slice(9)}"`],
  ['beginnings of keys', `a: "${many('-----BEGIN A ').slice(9)}"`],
  ['options', `a: "${many(' --password').slice(9)}"`],
  ['escapes', `a: "${many('\\n').slice(10)}"`],
  ['escapes of signs', `a: "${many('\\x41').slice(12)}"`],
  ['keys', numbered((at) => `k${at}: 1`)],
  ['keys of steps', `steps:\n${numbered((at) => ` k${at}: 1`).slice(9)}`],
  ['equal keys', many('kk: 1\n')],
  ['a list in brackets', `a: [${many('1,').slice(9)}]`],
  ['a map in braces', `a: {${numbered((at) => `k${at}: 1`, ',').slice(9)}}`],
  ['items', `steps:\n${many('  - a\n').slice(12)}`],
  ['steps', `steps:\n${many('  - { step: a, run: {} }\n').slice(25)}`],
  ['remarks', many('# x\n')],
  ['empty lines', many('\n')],
  ['a block of text', `a: |\n${many('  x\n').slice(9)}`],
  ['aliases', `a: &a 1\n${numbered((at) => `b${at}: *a`).slice(9)}`],
  ['open brackets', many('[')],
  ['open braces', many('{')],
  ['questions', many('? ')],
  ['empty keys', many(': \n')],
  ['documents', many('---\n')],
  ['a condition of one word', condition(many('a'))],
  ['a condition of brackets', condition(many('('))],
  ['a condition of quotes', condition(many("'"))],
  ['a condition of many', condition(many('a and '))],
  ['a condition of dollars', condition(many('$a$'))],
  ['a condition of remarks', condition(many('/*'))],
])('%s', (_what, text) => {
  const started = performance.now();
  const read = parsePlan(text, 'soakgate.yaml');
  expect('complaints' in read ? read.complaints.length : 0).toBeLessThanOrEqual(101);
  expect((performance.now() - started) / 1000).toBeLessThan(SECONDS);
});

test('a file of too many words is refused as such', () => {
  expect(parsePlan(many('kk: 1\n'), 'soakgate.yaml')).toMatchObject({
    complaints: [{ message: 'holds more than 100,000 words, signs and line ends' }],
  });
});
