import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The long ones first, or the last of them would run beside nothing. */
const LONGEST = [
  'journeys/demo',
  'journeys/characters-breaks',
  'journeys/characters.',
  'activities/django',
  'faults/',
  'journeys/terminal',
  'cli/deployment',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) =>
      LONGEST.findIndex((name) => moduleId.includes(`test/${name}`)) >>> 0;
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other));
  }
}

export default defineConfig({
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts'],
    // Processes, not threads: Temporal's native core and real services are easier to end with the process that holds them.
    pool: 'forks',
    globalSetup: ['test/support/made-once.ts'],
    sequence: { sequencer: LongestFirst },
    // More than the cores: the long ones wait most of their time.
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
