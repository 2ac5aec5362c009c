// Golden complaints: what a person reads about each kind of mistake. `vitest run test/core/plan -u` rewrites
// them.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parsePlan, renderComplaint } from '../../../src/core/plan/parse.ts';

const folder = fileURLToPath(new URL('../../golden/complaints/', import.meta.url));
const cases = readdirSync(folder).filter((file) => file.endsWith('.yaml'));

describe('complaints about', () => {
  test.each(cases)('%s', async (file) => {
    const result = parsePlan(readFileSync(`${folder}${file}`, 'utf8'), file);
    const text = 'plan' in result ? 'no complaints' : result.complaints.map(renderComplaint).join('\n');
    await expect(`${text}\n`).toMatchFileSnapshot(`${folder}${file.replace('.yaml', '.txt')}`);
  });

  test('every golden plan draws at least one', () => {
    const accepted = cases.filter(
      (file) => 'plan' in parsePlan(readFileSync(`${folder}${file}`, 'utf8'), file),
    );
    expect(accepted).toEqual([]);
  });
});
