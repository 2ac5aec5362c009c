import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts'],
    // Processes, not threads: Temporal's native core and real services are easier to end with the process that holds them.
    pool: 'forks',
    globalSetup: ['test/support/bundle-once.ts'],
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
