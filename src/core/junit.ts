// JUnit results: exact counts of a test report. A small strict reader of the XML that test runners write;
// what it does not understand, or what was cut off, is no report.

export interface TestReport {
  readonly tests: number;
  readonly failures: number;
  readonly errors: number;
  readonly skipped: number;
  readonly passed: number;
  /** Names of the failed, at most ten. */
  readonly failed: readonly string[];
}

type Counts = Record<'tests' | 'failures' | 'errors' | 'skipped', number>;
type Attributes = Readonly<Record<string, string>>;

interface Found {
  readonly counts: Counts;
  readonly failed: string[];
  /** Elements that are not closed yet; a suite with what it says of itself, and the counts where it began. */
  readonly open: { readonly name: string; readonly says: Attributes; readonly from: Counts }[];
  test: { readonly name: string; readonly marks: Set<string> } | null;
  roots: number;
}

const FAILED_SHOWN = 10;
const SUITES = ['testsuites', 'testsuite'];
const MARKS = ['failure', 'error', 'skipped'];
/** Comments, CDATA, declarations, and tags; the text between them is skipped. */
const TOKEN =
  /<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>|<\?[\s\S]*?\?>|<(\/?)([A-Za-z][\w.:-]*)((?:\s+[\w.:-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/gu;
const ATTRIBUTE = /([\w.:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/gu;

/**
 * Counts the test cases themselves.
 * @throws Error that says what is wrong with the report.
 */
export function readJunit(xml: string): TestReport {
  const found: Found = {
    counts: { tests: 0, failures: 0, errors: 0, skipped: 0 },
    failed: [],
    open: [],
    test: null,
    roots: 0,
  };
  let end = 0;
  for (const token of xml.matchAll(TOKEN)) {
    const between = xml.slice(end, token.index);
    if (between.includes('<') || (found.open.length === 0 && between.replace(/^\uFEFF/u, '').trim() !== ''))
      throw new Error(`no XML: ${between.trim().slice(0, 40)}`);
    end = token.index + token[0].length;
    const [, slash, name, attributes = '', alone] = token;
    if (name === undefined) continue;
    if (slash !== '/') begin(found, name, attributesOf(attributes));
    if (slash === '/' || alone === '/') finish(found, name);
  }
  if (found.open.length > 0)
    throw new Error(`<${found.open.at(-1)?.name}> is not closed: the report was cut off`);
  if (found.roots === 0) throw new Error('it contains no test suite');
  if (xml.slice(end).trim() !== '') throw new Error('there is something behind its end');
  const { counts, failed } = found;
  return {
    ...counts,
    passed: counts.tests - counts.failures - counts.errors - counts.skipped,
    failed: failed.slice(0, FAILED_SHOWN),
  };
}

function begin(found: Found, name: string, says: Attributes): void {
  if (found.open.length === 0) {
    found.roots += 1;
    if (found.roots > 1 || !SUITES.includes(name))
      throw new Error(`its root is ${name}; one testsuites or testsuite was expected`);
  }
  found.open.push({ name, says, from: { ...found.counts } });
  if (name === 'testcase')
    found.test = { name: [says['classname'], says['name']].filter(Boolean).join(' '), marks: new Set() };
  else if (MARKS.includes(name)) found.test?.marks.add(name);
}

function finish(found: Found, name: string): void {
  const element = found.open.pop();
  if (element?.name !== name) throw new Error(`</${name}> closes nothing`);
  if (name === 'testcase' && found.test) {
    count(found, found.test);
    found.test = null;
  }
  if (SUITES.includes(name)) compare(element.says, element.from, found.counts);
}

function count({ counts, failed }: Found, { name, marks }: NonNullable<Found['test']>): void {
  counts.tests += 1;
  if (marks.has('error')) counts.errors += 1;
  else if (marks.has('failure')) counts.failures += 1;
  else if (marks.has('skipped')) counts.skipped += 1;
  if (marks.has('error') || marks.has('failure')) failed.push(name || 'a test without a name');
}

/** A suite that says more than it holds was not written to its end. */
function compare(says: Attributes, from: Counts, now: Counts): void {
  for (const key of ['tests', 'failures', 'errors'] as const) {
    const said = Number(says[key] ?? 0);
    const found = now[key] - from[key];
    if (!(said <= found))
      throw new Error(`suite ${says['name'] ?? ''} says ${key}="${says[key]}", but contains ${found}`);
  }
}

function attributesOf(text: string): Attributes {
  return Object.fromEntries(
    [...text.matchAll(ATTRIBUTE)].map(([, name = '', double, single]) => [name, double ?? single ?? '']),
  );
}
