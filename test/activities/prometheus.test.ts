// A monitor over a real Prometheus server: a number now, a number of a range, and what is no number.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readMonitor } from '../../activities/monitors/index.ts';
import type { Work } from '../../activities/frame/step-context.ts';
import type { PrometheusRead } from '../../src/core/plan/monitors/prometheus.ts';
import { freePort } from '../../src/io/free-port.ts';
import { complaintsOf, edited, smallPlan } from '../core/plan/small-plan.ts';
import { type PrometheusServer, startPrometheus } from '../support/prometheus.ts';

let server: PrometheusServer;
beforeAll(async () => void (server = await startPrometheus()));
afterAll(() => server?.stop());

type Query = Omit<PrometheusRead['prometheus'], 'url'>;
/** The samples of a monitor whose metrics are its queries. */
async function read(query: Query, url = server.url) {
  const { samples, error } = await readMonitor(
    {} as Work,
    'load',
    {
      read: { prometheus: { url, ...query } },
      metrics: Object.fromEntries(Object.keys(query.queries).map((metric) => [metric, {}])),
    },
    Date.now(),
    { counters: undefined, since: undefined },
  );
  return { values: Object.fromEntries(samples.map(({ metric, value }) => [metric, value])), samples, error };
}

describe('a Prometheus monitor', () => {
  test('gives the number of each query as it is now', async () => {
    const { values, error } = await read({
      queries: { up: 'up{job="self"}', targets: 'count(up)', fixed: 'scalar(count(up)) * 3' },
    });
    expect({ values, error }).toEqual({ values: { up: 1, targets: 1, fixed: 3 }, error: undefined });
  });

  test('gives what is taken of a range, and for how many points it speaks', async () => {
    // Since this second has two digits or not: a number that differs from point to point.
    await server.until('count_over_time(up{job="self"}[2s]) >= 4');
    const over = { overMs: 2_000, stepMs: 500 };
    const queries = { second: 'time()' };
    const ask = async (take: 'least' | 'most' | 'last' | 'mean') =>
      (await read({ queries, range: { ...over, take } })).samples[0]!;
    const [least, most, last, mean] = [
      await ask('least'),
      await ask('most'),
      await ask('last'),
      await ask('mean'),
    ];
    expect(least.samples).toBe(5);
    expect(most.value! - least.value!).toBeGreaterThan(1.9);
    expect(last.value!).toBeGreaterThanOrEqual(most.value!);
    expect(mean.value!).toBeGreaterThan(least.value!);
    expect(mean.value!).toBeLessThan(last.value!);
    const up = await read({ queries: { up: 'up{job="self"}' }, range: { ...over, take: 'least' } });
    expect(up.values).toEqual({ up: 1 });
  });

  test.each([
    ['no series', 'nothing_of_that_name', undefined],
    ['nothing by nothing', '0 / (up * 0)', undefined],
    [
      'more than one series',
      'prometheus_target_interval_length_seconds',
      /\d+ series, one number is wanted/u,
    ],
    ['a query that is none', 'up{', /Prometheus answers 400: .*parse error/u],
  ])('%s is no number', async (_, query, said) => {
    await server.until('count(prometheus_target_interval_length_seconds) > 1');
    const { values, error } = await read({ queries: { up: query } });
    expect(values).toEqual({ up: null });
    if (said) expect(error).toMatch(said);
    else expect(error).toBeUndefined();
  });

  test('a server that does not answer is no number, with the reason', async () => {
    const { values, error } = await read({ queries: { up: 'up' } }, `http://127.0.0.1:${await freePort()}`);
    expect(values).toEqual({ up: null });
    expect(error).toContain('up: Prometheus does not answer (ECONNREFUSED)');
  });
});

describe('a plan with a Prometheus monitor', () => {
  const SHOP = 'read: { command: [node, monitor.mjs, --json] }\n    metrics:\n      paid: { at: /paid,';
  const plan = (query: string) =>
    edited(smallPlan, [
      SHOP,
      `read: { prometheus: { url: http://127.0.0.1:9090, queries: { ${query}: sum(paid) }, range: { ` +
        `over: 5m, step: 15s, take: mean } } }\n    metrics:\n      paid: {`,
    ]);

  test('is accepted, and a metric without a query is refused', () => {
    expect(complaintsOf(plan('paid'))).toEqual([]);
    expect(complaintsOf(plan('payed')).map(({ message, hint }) => ({ message, hint }))).toEqual([
      { message: 'a monitor over Prometheus has no metric "paid"', hint: 'one of: payed' },
    ]);
  });
});
