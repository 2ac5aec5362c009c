// The story of a run as people read it, compared with the committed one.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { refusalText } from '../../src/core/waiting.ts';
import type { Run } from './theatre.ts';

/** The notes and lines of every workflow of a run, as a page. */
export async function storyOf(run: Run, environments: readonly string[]): Promise<string> {
  const pages: string[] = [];
  for (const environment of [undefined, ...environments]) {
    const progress = await run.progress(environment);
    const lines = progress.lines.map(
      (line) => `  ${line.state.padEnd(10)} ${line.name}${line.summary ? `: ${line.summary}` : ''}`,
    );
    pages.push(
      [
        `${environment ?? 'deployment'}: ${progress.phase}, ${progress.health}`,
        ...lines,
        ...progress.notes.map((note) => `  - ${note}`),
        ...progress.refusals.map((refusal) => `  - ${refusalText(refusal)}`),
        ...progress.metrics.map((line) => `  = ${line}`),
      ].join('\n'),
    );
  }
  return `${pages.join('\n\n')}\n`.replaceAll(run.name, 'DEPLOYMENT');
}

/** Compares with the committed story; GOLDEN=write writes it anew. */
export async function expectStory(outcome: string, run: Run, environments: readonly string[]): Promise<void> {
  const file = join(import.meta.dirname, '../golden/stories', `${outcome}.txt`);
  const story = await storyOf(run, environments);
  if (process.env['GOLDEN'] === 'write') writeFileSync(file, story);
  expect(story, `GOLDEN=write writes ${outcome}.txt anew`).toBe(readFileSync(file, 'utf8'));
}
