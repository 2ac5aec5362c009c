// The words of the field: what a user reads has no retired phrase in it, and the glossary stays small and
// sorted.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { planJsonSchema } from '../../src/core/plan/schema.ts';
import { shownPages, shownSentences, type ShownText } from './shown-text.ts';

/** Name → what is no longer said, and what is said instead. */
const retired: Readonly<Record<string, { readonly phrase: RegExp; readonly instead: string }>> = {
  'way back': { phrase: /\bways? back\b/iu, instead: 'rollback' },
  'go back': { phrase: /\b(?:go(?:es|ing|ne)?|went) back\b/iu, instead: 'roll back' },
  meter: { phrase: /\bmeters?\b/iu, instead: 'monitor' },
  readings: { phrase: /\breadings\b/iu, instead: 'metrics or samples' },
  band: { phrase: /\bbands?\b/iu, instead: 'threshold' },
  stretch: { phrase: /\bstretch(?:es)?\b/iu, instead: 'slice' },
  floor: { phrase: /\bfloors?\b/iu, instead: 'guardrails' },
  dossier: { phrase: /\bdossiers?\b/iu, instead: 'gate report' },
  'refused writes': { phrase: /\brefused[ -]writes?\b/iu, instead: 'forbidden writes' },
  enter: { phrase: /\b(?:entered|entering|at-entry|at entry)\b/iu, instead: 'deploy to' },
  'by-hand': { phrase: /\bby-hand\b/iu, instead: 'fixed-manually' },
  dirty: { phrase: /\bdirty\b/iu, instead: 'differences remain, or bad rows' },
  told: {
    phrase: /\b(?:is|are|was|were|be|been) told\b/iu,
    instead: 'name the actor: Soakgate reports, notifies',
  },
  looked: { phrase: /\b(?:is|are|was|were|be|not) looked\b/iu, instead: 'checked' },
  look: { phrase: /\b(?:a|the|this|each|no) looks?\b/iu, instead: 'check' },
  'what serves': { phrase: /\bwhat serves\b/iu, instead: 'the runtime' },
  'follow-up': { phrase: /\bfollow-?ups?\b/iu, instead: 'post-deployment checks' },
  ending: { phrase: /\b(?:the|its|an|whose|each) ending\b/iu, instead: 'outcome' },
  leave: { phrase: /`leave`/iu, instead: 'leave-as-is' },
  'is there': { phrase: /\bas running there\b/iu, instead: 'running' },
  'at once': { phrase: /\bmonitors at once\b/iu, instead: 'now' },
  '1 things': {
    phrase: /\b1 (?:things|migrations|rows|findings|samples|objects)\b/iu,
    instead: 'agree in number',
  },
  DESIGN: { phrase: /\bDESIGN(?:\.md)?\b/u, instead: 'a page that is in this repository' },
  'trap numbers': { phrase: /\b[TC]-\d\d\b/u, instead: 'the sentence of docs/traps.md' },
};

/** Where the old word is right: the name of the phrase → texts. */
const allowed: Readonly<Record<string, RegExp>> = {
  'trap numbers': /^docs\/traps\.md/u,
  // golang-migrate's own column; the name of a fault of the example.
  dirty: /golang-migrate|dirty-after-validate|whether it is dirty/u,
  // A plan's `maintenance: leave`.
  leave: /`enter`, `leave`/u,
  enter: /__enter__|throwIfNoEntry|django-program/u,
};

const found = (texts: readonly ShownText[]): readonly string[] =>
  Object.entries(retired).flatMap(([name, { phrase, instead }]) =>
    texts
      .filter(({ at, text }) => phrase.test(text) && !allowed[name]?.test(`${at} ${text}`))
      .map(({ at, text }) => `${at}: "${name}" → ${instead}: ${text.slice(0, 140)}`),
  );

describe('what users see', () => {
  test.each(Object.keys(retired))('%s is found where it stands', (name) => {
    const said = { 'trap numbers': 'T-01', DESIGN: 'see DESIGN', '1 things': '1 things', leave: '`leave`' }[
      name
    ];
    const examples = ['way back', 'goes back', 'a meter', 'readings', 'bands', 'stretch', 'floor', 'dossier'];
    const more = [
      'refused-writes',
      'entered',
      'by-hand',
      'dirty',
      'are told',
      'is looked',
      'a look',
      'what serves',
    ];
    const rest = ['follow-up', 'the ending', 'as running there', 'monitors at once'];
    const texts = [...examples, ...more, ...rest, ...(said ? [said] : [])].map((text) => ({
      at: 'here',
      text,
    }));
    expect(found(texts).some((line) => line.includes(`"${name}"`))).toBe(true);
  });

  test('pages hold no retired phrase', () => expect(found(shownPages())).toEqual([]));
  test('sentences of the code hold no retired phrase', () => expect(found(shownSentences())).toEqual([]));
  test('the plan reference and schema hold no retired phrase', () => {
    const lines = JSON.stringify(planJsonSchema(), null, 1).split('\n');
    expect(found(lines.map((text, at) => ({ at: `schema.json:${at + 1}`, text })))).toEqual([]);
  });
});

describe('docs/glossary.md', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/glossary.md'), 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('| **'));
  const words = rows.map((row) => /^\| \*\*([^*]+)\*\* \|/u.exec(row)?.[1] ?? row);

  test('has at most 40 words, in order, each with one sentence and an example', () => {
    expect(words.length).toBeLessThanOrEqual(40);
    expect(words).toEqual(words.toSorted());
    for (const row of rows) expect(row).toMatch(/^\| \*\*[^|]+\*\* \| [A-Z][^|]+\. \| [^|]+ \|$/u);
  });
});
