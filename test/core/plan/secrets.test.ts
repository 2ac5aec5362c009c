// Secrets in the text of a plan are found by their place and kind, and never repeated; each is put together here, so
// that this file holds none.
import { describe, expect, test } from 'vitest';
import { secretsIn } from '../../../src/io/plan-secrets.ts';
import { parsePlan } from '../../../src/core/plan/parse.ts';
import { storyPlan } from '../../support/story-plan.ts';

const digits = (n: number) => '7'.repeat(n);
const letters = (n: number) => 'aBcDeFgHiJ'.repeat(20).slice(0, n);
const KINDS: readonly [what: string, secret: string][] = [
  ['a token of GitHub', ['ghp', 'wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx'].join('_')],
  ['a token of GitLab', ['glpat', letters(20)].join('-')],
  ['a token of npm', ['npm', letters(36)].join('_')],
  ['a token of Slack', ['xoxb', digits(12), digits(13), letters(24)].join('-')],
  ['a webhook of Slack', `https://hooks.slack.com/services/T${letters(8)}/B${letters(8)}/${letters(24)}`],
  ['a key of Anthropic', ['sk', 'ant', 'api03', `${'a'.repeat(93)}AA`].join('-')],
  ['a connection string of PostgreSQL', 'postgres://app:hunter2secret@db.example.org/shop'],
];

describe('a secret in a plan', () => {
  const plan = storyPlan();
  test('an honest plan has none', async () => {
    expect(parsePlan(plan, 'p.yaml')).toHaveProperty('plan');
    expect(await secretsIn(plan, 'p.yaml')).toEqual([]);
  });

  test.each(KINDS)('%s is found in its line, and not repeated', async (_what, secret) => {
    const lines = plan.split('\n');
    const text = [...lines.slice(0, 3), `# ${secret}`, ...lines.slice(3)].join('\n');
    const found = await secretsIn(text, 'p.yaml');
    expect(found).toEqual([
      expect.objectContaining({
        file: 'p.yaml',
        line: 4,
        message: expect.stringContaining('a plan holds no secret'),
      }),
    ]);
    expect(JSON.stringify(found)).not.toContain(secret.slice(-12));
    const known = [{ file: 'p.yaml', line: 4, column: 1, path: '', message: 'a plan holds no secret' }];
    expect(await secretsIn(text, 'p.yaml', known), 'said once').toEqual([]);
  });
});
