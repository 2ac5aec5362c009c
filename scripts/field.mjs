// `npm run test:field`: the product on databases as they are in the field, with all random pairs; what came out, case
// by case, is written to docs/field.md under the major of the server that was used (SOAKGATE_PG_BIN chooses another).
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkout, inCheckout, readJson } from './parts/checkout.mjs';
import { handOver } from './parts/hand-over.mjs';

process.chdir(checkout);
process.env.SOAKGATE_FIELD_PAIRS ||= '2000';
const page = inCheckout('docs', 'field.md');
const folder = mkdtempSync(join(tmpdir(), 'soakgate-field-'));
const report = join(folder, 'report.json');
const vitest = [
  inCheckout('node_modules', 'vitest', 'vitest.mjs'),
  'run',
  '--project',
  'whole',
  '--project',
  'long',
  'test/field',
];
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
const code = await handOver(process.execPath, [...vitest, ...reporters, ...process.argv.slice(2)]);
const files = readJson(report)?.testResults ?? [];
rmSync(folder, { recursive: true, force: true });

const postgres = join(process.env.SOAKGATE_PG_BIN ?? '', 'postgres');
const version = /\d+\.\d+/u.exec(execFileSync(postgres, ['--version'], { encoding: 'utf8' }))[0];
const words = { passed: 'right', failed: '**wrong**' };
const cell = (text) => text.replaceAll(/\s+/gu, ' ').replaceAll('|', '\\|').slice(0, 160);
const tests = files
  .toSorted((one, other) => one.name.localeCompare(other.name))
  .flatMap(({ assertionResults }) => assertionResults);
const row = ({ ancestorTitles, title, meta, status }) =>
  `| ${[ancestorTitles.at(-1) ?? '', title, meta?.outcome ?? ''].map(cell).join(' | ')} | ${words[status] ?? 'not held: this installation lacks it'} |`;
const number = (status) => tests.filter((test) => test.status === status).length;
const [right, wrong] = [number('passed'), number('failed')];
const heading = `## PostgreSQL ${version.split('.')[0]}`;
const section = `${heading}

Server ${version}: ${right} right, ${wrong} wrong, ${tests.length - right - wrong} not held.

| what | case | what it said | right |
|---|---|---|---|
${tests.map(row).join('\n')}
`;
if (process.argv.length === 2 && tests.length > 0)
  writeFileSync(page, withSection(readFileSync(page, 'utf8')));
console.log(`${right} passed, ${wrong} failed`);
process.exitCode = code;

/** The page with this major's section in its place. */
function withSection(text) {
  const [intro, ...others] = text.split(/^(?=## PostgreSQL \d)/mu);
  const rest = others.filter((other) => !other.startsWith(`${heading}\n`)).map((other) => other.trimEnd());
  const majorOf = (part) => Number(/\d+/u.exec(part)[0]);
  const sections = [...rest, section.trimEnd()].toSorted((one, other) => majorOf(one) - majorOf(other));
  return `${intro.trimEnd()}\n\n${sections.join('\n\n')}\n`;
}
