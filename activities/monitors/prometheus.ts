// Queries to a Prometheus server. One number for each metric: several series are refused, no series is no
// number (rule 1).
import type { PrometheusRead, Take } from '../../src/core/plan/monitors/prometheus.ts';
import type { Json } from '../../src/core/plan/plan.ts';
import { valueAt } from '../../src/core/pointer.ts';
import { get } from '../../src/io/http.ts';
import { parseJson } from '../checks/command.ts';
import { documentReader } from './reader.ts';

type Read = PrometheusRead['prometheus'];

export const readPrometheus = documentReader<'prometheus'>(
  async (_, { read: { prometheus }, at, monitor }) => {
    const wanted = Object.entries(prometheus.queries).filter(([metric]) => metric in monitor.metrics);
    const values = await Promise.all(
      wanted.map(async ([metric, query]) => [metric, await ask(prometheus, metric, query, at)] as const),
    );
    return Object.fromEntries(values);
  },
);

/** @throws Error with what the server says, or when it gives more than one series. */
async function ask({ url, range }: Read, metric: string, query: string, at: number): Promise<Json> {
  const moment = (ms: number): string => String(ms / 1_000);
  const parameters: Readonly<Record<string, string>> = range
    ? { query, start: moment(at - range.overMs), end: moment(at), step: moment(range.stepMs) }
    : { query, time: moment(at) };
  const path = range ? '/api/v1/query_range' : '/api/v1/query';
  const answer = await get(`${url}${path}?${new URLSearchParams(parameters).toString()}`);
  if (answer.status === null) throw new Error(`${metric}: Prometheus does not answer (${answer.error})`);
  const body = parseJson(answer.body);
  if (answer.status !== 200) {
    const why = String(valueAt(body, '/error') ?? '').slice(0, 500);
    throw new Error(`${metric}: Prometheus answers ${answer.status}: ${why}`);
  }
  const result = valueAt(body, '/data/result');
  if (valueAt(body, '/data/resultType') === 'scalar') return numberOf(valueAt(result, '/1'));
  const series = Array.isArray(result) ? (result as readonly Json[]) : [];
  if (series.length > 1)
    throw new Error(`${metric}: ${series.length} series, one number is wanted: aggregate it, e.g. sum(...)`);
  const [only = null] = series;
  if (!range) return numberOf(valueAt(only, '/value/1'));
  const points = valueAt(only, '/values');
  const numbers = (Array.isArray(points) ? (points as readonly Json[]) : [])
    .map((point) => numberOf(valueAt(point, '/1')))
    .filter((value) => value !== null);
  return numbers.length === 0 ? null : { value: taken(numbers, range.take), samples: numbers.length };
}

/** Prometheus writes numbers as text; `NaN` (nothing by nothing) and infinities are no numbers. */
function numberOf(written: unknown): number | null {
  const value = typeof written === 'string' && written !== '' ? Number(written) : Number.NaN;
  return Number.isFinite(value) ? value : null;
}

function taken(numbers: readonly number[], take: Take): number {
  if (take === 'least') return Math.min(...numbers);
  if (take === 'most') return Math.max(...numbers);
  if (take === 'last') return numbers.at(-1)!;
  return numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
}
