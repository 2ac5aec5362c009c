import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The long ones first, or the last of them would run beside nothing. */
const LONGEST = [
  'journeys/demo',
  'journeys/characters-breaks',
  'journeys/characters.',
  'activities/django',
  'workflows/failing-activities',
  'faults/',
  'journeys/terminal',
  'cli/deployment',
  'trust/activities',
  'trust/messages',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) =>
      LONGEST.findIndex((name) => moduleId.includes(`test/${name}`)) >>> 0;
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other));
  }
}

const EVERY_TEST = 'test/**/*.test.ts';
/** Tests that need neither a database nor a Temporal server; a new folder with a server belongs elsewhere. */
const UNIT = [
  'test/{client,core,docs}/**/*.test.ts',
  'test/io/!(definition).test.ts',
  'test/api/{decisions,document}.test.ts',
  'test/evidence/summary.test.ts',
  'test/replay/lists.test.ts',
  'test/support/**/*.test.ts',
];

/**
 * Whole deployments on every part, floods of messages, each activity failing at each call, Django, whose every command
 * takes two seconds, what is packed for others, and every member of the widest kinds: most of the time of all tests.
 * They run with `npm test -- --all`, and so in every CI run, not with `npm test`.
 */
const LONG = [
  'test/journeys/**/*.test.ts',
  'test/faults/thread.test.ts',
  'test/workflows/{failing-activities,characters-week,floods}.test.ts',
  'test/activities/django*.test.ts',
  'test/package/*.test.ts',
  'test/api/schemathesis.test.ts',
  'test/compose/site.test.ts',
  'test/cli/{deployment,held}.test.ts',
  'test/trust/{messages,activities,co-signed}.test.ts',
  'test/evidence/vouched-ends.test.ts',
  'test/examples/validation-system/*.test.ts',
  'test/activities/{data-exact,limits,preflight-sessions}.test.ts',
  'test/field/{seen,managed}.test.ts',
];

const patience = { testTimeout: 150_000, hookTimeout: 150_000 };

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    // More than the cores: the long ones wait most of their time.
    maxWorkers: 3,
    // Processes, not threads: Temporal's native core and real services are easier to end with the process
    // that holds them.
    pool: 'forks',
    projects: [
      {
        test: {
          name: 'unit',
          include: UNIT,
          // Half of their time went into loading the same modules for each file.
          isolate: false,
          // A unit test that starts a server fails at once instead of making all of them slow.
          env: { SOAKGATE_PG_BIN: '/not/in/unit/tests', SOAKGATE_TEMPORAL: '/not/in/unit/tests' },
          ...patience,
        },
      },
      {
        // Only this project makes what its tests share (bundle, empty cluster): `npm test -- test/core` does
        // not wait for it.
        test: {
          name: 'whole',
          include: [EVERY_TEST],
          exclude: [...UNIT, ...LONG],
          globalSetup: ['test/support/made-once.ts'],
          ...patience,
        },
      },
      {
        test: {
          name: 'long',
          include: LONG,
          globalSetup: ['test/support/made-once.ts'],
          ...patience,
        },
      },
    ],
  },
});
