// Windows are read when the plan is read: a line that never opens would be found after a week of soak.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cronFault } from '../../../src/core/plan/cron-line.ts';
import { parsePlan } from '../../../src/core/plan/parse.ts';

describe('a cron line', () => {
  test.each(['0 2 * * SUN', '0 2 29 2 *', '*/15 9-17 * * MON-FRI', '0 2 L * *', '0 2 * * 0'])(
    '%s opens',
    (line) => expect(cronFault(line)).toBeNull(),
  );

  test.each([
    ['61 26 * * SUN', 'Invalid value for minute: 61'],
    ['0 26 * * SUN', 'Invalid value for hour: 26'],
    ['0 2 30 2 *', '"0 2 30 2 *" never opens'],
    ['*/0 * * * *', 'illegal stepping'],
    ['5-1 * * * *', "larger than to value: '5-1'"],
    ['0 2 * * 8', 'Invalid value for dayOfWeek: 8'],
    ['0 0 * * FOO', 'illegal characters'],
  ])('%s: %s', (line, fault) => expect(cronFault(line)).toContain(fault));
});

test('a plan with a window that cannot be read is refused, with line and remedy', () => {
  const plan = readFileSync(join(import.meta.dirname, '../../fixtures/small-plan.yaml'), 'utf8');
  const bad = plan.replace('opens: 0 2 * * SUN', 'opens: "61 26 * * SUN"');
  expect(bad).not.toBe(plan);
  const result = parsePlan(bad, 'plan.yaml');
  const complaints = 'plan' in result ? [] : result.complaints;
  expect(complaints.map(({ path, message }) => `${path} ${message}`)).toEqual([
    'environments.production.window.opens cannot be read: Invalid value for minute: 61',
  ]);
});
