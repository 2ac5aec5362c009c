// The seven days of runbook 0 with metrics that were recorded on the genuine product, minute by minute, time
// skipped.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withoutProduction } from '../support/characters.ts';
import { DAY, HOUR, openTheatre, type Theatre, timeSkippingServer } from '../support/theatre.ts';

let theatre: Theatre;
beforeAll(async () => {
  if (timeSkippingServer) theatre = await openTheatre();
});
afterAll(() => theatre?.close());

const here = (path: string) => readFileSync(join(import.meta.dirname, path), 'utf8');
type Recorded = number | { readonly value: number; readonly samples: number };
/**
 * What the app's own monitors said in a soak of test/journeys/characters.test.ts, reading by reading. There a
 * minute lasts 250 ms:
 * transactions are counted for a whole one.
 */
const recorded = JSON.parse(here('../fixtures/characters-metrics.json')) as Readonly<
  Record<string, readonly Recorded[]>
>;
const plan = withoutProduction(
  here('../../examples/validation-system/releases/v-next/soakgate.yaml'),
).replace(
  'objective: at most 110% of baseline for 10m, alert: above 150% of baseline for 10m',
  'unit: ms, objective: at most 500ms for 10m, alert: above 2s for 10m',
);
const minute = (since: number) => Math.round(since / 60_000);
const asRecorded = (id: string, since: number): Recorded =>
  recorded[id]![minute(since) % recorded[id]!.length]!;

describe.runIf(timeSkippingServer)(
  'S0-87, S1-51: seven days at one metric a minute',
  { timeout: 240_000 },
  () => {
    test('of what was recorded: passed after exactly seven clean days', async () => {
      let last = 0;
      const run = await theatre.run(plan, {
        reads: (_, id, since) => ((last = since), asRecorded(id, since)),
      });
      expect(await run.result()).toMatchObject({ outcome: 'completed' });
      expect(last).toBe(7 * DAY);
      const { soak } = await run.rolloutResult('staging');
      expect(soak).toContain('validation/violations: 10081 samples');
    });

    test('S1-58: one violation on day five starts the count again: it ends on day twelve, not before', async () => {
      let last = 0;
      const run = await theatre.run(plan, {
        reads: (_, id, since) => {
          last = since;
          return id === 'validation/violations' && minute(since) === 5 * 1440 ? 1 : asRecorded(id, since);
        },
      });
      expect(await run.result()).toMatchObject({ outcome: 'completed' });
      // The last sample that still sees it within its day is a day later.
      expect(last).toBeGreaterThanOrEqual(12 * DAY);
      expect(last).toBeLessThanOrEqual(13 * DAY + HOUR);
    });

    test('S0-95: a success rate of 85 % on day six is asked about, and rolls back when people say so', async () => {
      const run = await theatre.run(plan, {
        reads: (_, id, since) =>
          id === 'validation/xp-success' && minute(since) >= 6 * 1440
            ? { value: 0.85, samples: 40 }
            : asRecorded(id, since),
      });
      await run.until(
        'asked',
        ({ waitingFor }) =>
          waitingFor?.includes('about validation/xp-success is 0.85, alert below 90%') === true,
        'staging',
      );
      await run.send('decide', 'lea', 'staging', { decision: 'downgrade' });
      expect(await run.result()).toMatchObject({ outcome: 'rolled-back' });
    });

    test('nobody plays for three days: too few to judge, never passed in seven', async () => {
      let last = 0;
      const quiet = (since: number) => minute(since) > 1440 && minute(since) <= 4 * 1440;
      const run = await theatre.run(plan, {
        reads: (_, id, since) => {
          last = since;
          return id === 'validation/xp-success' && quiet(since)
            ? { value: 1, samples: 2 }
            : asRecorded(id, since);
        },
      });
      await run.until(
        'asked',
        ({ waitingFor }) => waitingFor?.includes('validation/xp-success has too few samples') === true,
        'staging',
      );
      await run.send('decide', 'dan', 'staging', { decision: 'continue' });
      expect(await run.result()).toMatchObject({
        outcome: 'completed',
        reason: expect.stringMatching(/1 problem accepted: staging: validation.*\(continued by dan\)/u),
      });
      expect(last).toBeGreaterThanOrEqual(10 * DAY);
    });
  },
);
