// What a soak costs: one week at one metric a minute with time skipped, and the memory of rollouts that wait
// for people.
// SOAKGATE_TIME_SKIPPING=… node bench/soak-cost.ts      goals: ≤ 1,100 events for the soak, history ≤ 0.5 MB
import { storyPlan } from '../test/support/story-plan.ts';
import { openTheatre } from '../test/support/theatre.ts';

const WAITING = 100;
const GOAL = { events: 1_100, bytes: 500_000 };

const theatre = await openTheatre();
const week = await theatre.run(storyPlan({ only: 'staging', soak: 'for: 7d, every: 1m, gap: at most 5m' }));
const started = performance.now();
await week.result();
const tookS = (performance.now() - started) / 1000;
const history = await theatre.env.client.workflow.getHandle(week.rolloutId('staging')).fetchHistory();
const events = history.events ?? [];
const first = events.findIndex(
  (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'observe',
);
const soak = {
  events: events.length - first,
  bytes: Math.max(
    ...events.map((event) => Number(event.workflowTaskStartedEventAttributes?.historySizeBytes ?? 0)),
  ),
};

// Each has soaked and waits at its gate; workflows, activities and client share this process.
globalThis.gc?.();
const before = process.memoryUsage().rss;
for (let count = 0; count < WAITING; count += 1) {
  const run = await theatre.run(storyPlan(), {
    stands: (environment, _, passed) => environment === 'staging' && passed,
  });
  await run.until(
    'the gate waits',
    (progress) => progress.waitingFor?.startsWith('the gate of production') === true,
  );
}
globalThis.gc?.();
const perRollout = (process.memoryUsage().rss - before) / WAITING / 1024;

console.log('| what | measured | goal | ratio |');
console.log('|---|---|---|---|');
console.log(
  `| events of a week's soak at one metric a minute | ${soak.events} | ${GOAL.events} | ` +
    `${(soak.events / GOAL.events).toFixed(2)} |`,
);
console.log(
  `| bytes of that history, steps included | ${soak.bytes} | ${GOAL.bytes} | ` +
    `${(soak.bytes / GOAL.bytes).toFixed(2)} |`,
);
console.log(
  `| KiB of this process for each of ${WAITING} waiting deployments (two workflows each, all cached) ` +
    `| ${perRollout.toFixed(0)} | | |`,
);
console.log(`a week passed in ${tookS.toFixed(1)} s`);
process.exit(soak.events <= GOAL.events && soak.bytes <= GOAL.bytes ? 0 : 1);
