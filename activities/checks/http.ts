// HTTP: status, values of the JSON body, a deadline; or many samples and their mean against the baseline.
import { sameJson } from '../../src/core/canonical.ts';
import { ms } from '../../src/core/evidence-delta.ts';
import type { HttpCheck } from '../../src/core/plan/steps/check.ts';
import { valueAt } from '../../src/core/pointer.ts';
import { outside } from '../../src/core/soak.ts';
import { get } from '../../src/io/http.ts';
import type { StepResult } from '../frame/receipt.ts';
import { httpBaseline, measure } from '../observe/baseline.ts';
import { addressOf, type Work } from '../frame/step-context.ts';
import { parseJson } from './command.ts';

const PAUSE_MS = 200;

export async function checkHttp(work: Work, check: HttpCheck): Promise<StepResult> {
  return check.samples !== undefined && check.mean
    ? compareWithBaseline(work, check)
    : answersAsExpected(work, check);
}

/** Asks until it is so, or until `within` is over. */
async function answersAsExpected(work: Work, check: HttpCheck): Promise<StepResult> {
  const deadline = performance.now() + check.withinMs;
  const started = performance.now();
  for (;;) {
    const wrong = (await Promise.all(check.get.map((path) => judge(addressOf(work), path, check)))).flat();
    if (wrong.length === 0)
      return {
        verdict: 'pass',
        summary: `${check.get.join(', ')} as expected after ${Math.round(performance.now() - started)} ms`,
      };
    if (performance.now() > deadline)
      return { verdict: 'fail', summary: `not as expected within ${check.withinMs} ms`, details: wrong };
    work.progress(wrong[0] ?? 'waiting');
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    work.signal.throwIfAborted();
  }
}

async function judge(base: string, path: string, check: HttpCheck): Promise<readonly string[]> {
  const answer = await get(new URL(path, base).href, { timeoutMs: Math.min(check.withinMs, 10_000) });
  if (answer.status === null) return [`${path}: no answer (${answer.error})`];
  if (answer.status !== check.status) return [`${path}: ${answer.status}, expected ${check.status}`];
  const body = check.json ? parseJson(answer.body) : null;
  return Object.entries(check.json ?? {})
    .filter(([pointer, expected]) => !sameJson(valueAt(body, pointer) ?? null, expected))
    .map(
      ([pointer, expected]) =>
        `${path} ${pointer} is ${JSON.stringify(valueAt(body, pointer) ?? null)}, expected ` +
        `${JSON.stringify(expected)}`,
    );
}

/** A breach is confirmed once before it counts; failures count apart from latency. */
async function compareWithBaseline(work: Work, check: HttpCheck): Promise<StepResult> {
  const baseline = await httpBaseline(work);
  const limit = check.mean!;
  const lines: string[] = [];
  let bad = false;
  for (const path of check.get) {
    const before = baseline?.[path];
    if (limit.ofBaseline && before === undefined)
      return { verdict: 'inconclusive', summary: `there is no baseline of ${path}` };
    if (limit.ofBaseline && before?.mean === null)
      return { verdict: 'inconclusive', summary: `the baseline of ${path} has no answer in it` };
    const over = (mean: number | null) =>
      mean !== null && outside(limit, mean, before?.mean ?? undefined, 'objective');
    let now = await measure(work, path, check.samples!);
    if (over(now.mean)) now = await measure(work, path, check.samples!);
    bad ||= over(now.mean) || now.failed > 0;
    lines.push(
      `${path}: mean ${ms(now.mean)}${before ? `, before ${ms(before.mean)}` : ''}, ${now.failed} ` +
        `failed of ${check.samples}${over(now.mean) ? `; wanted ${limit.text}` : ''}`,
    );
  }
  return {
    verdict: bad ? 'fail' : 'pass',
    summary: bad ? 'slower or failing' : `mean ${limit.text} holds`,
    details: lines,
  };
}
