// flows: the application's own paths over HTTP, as a user walks them; two at once where only one may win.
import { count } from '../../src/core/count.ts';
import type { FlowsSpec } from '../../src/core/plan/steps/flows.ts';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sameJson } from '../../src/core/canonical.ts';
import { fillIn, type FlowRequest, parseFlows } from '../../src/core/plan/flows.ts';
import type { Json } from '../../src/core/plan/plan.ts';
import { valueAt } from '../../src/core/pointer.ts';
import { get, type HttpAnswer } from '../../src/io/http.ts';
import type { StepResult } from '../frame/receipt.ts';
import { parseJson } from './command.ts';
import { addressOf, type Work } from '../frame/step-context.ts';

export async function flows(work: Work, { file }: FlowsSpec): Promise<StepResult> {
  const all = parsed(await readFile(join(work.checkout, file), 'utf8'));
  if (typeof all === 'string') return { verdict: 'error', summary: `${file}: ${all}` };
  const lines: { ok: boolean; text: string }[] = [];
  for (const [name, requests] of Object.entries(all)) {
    work.progress(name);
    work.signal.throwIfAborted();
    const wrong = await walk(addressOf(work), requests);
    lines.push(
      wrong
        ? { ok: false, text: `${name}: ${wrong}` }
        : { ok: true, text: `${name}: ${requests.length} requests as expected` },
    );
  }
  const bad = lines.filter((line) => !line.ok);
  return {
    verdict: bad.length === 0 ? 'pass' : 'fail',
    summary: `${lines.length - bad.length} of ${count(lines.length, 'flow')} as expected`,
    details: (bad.length > 0 ? bad : lines).map((line) => line.text),
    figures: { flows: lines.length },
  };
}

function parsed(text: string): ReturnType<typeof parseFlows> | string {
  try {
    return parseFlows(text);
  } catch (error) {
    return (error as Error).message;
  }
}

/** Null when the flow went as expected, else the first thing that did not. */
async function walk(base: string, requests: readonly FlowRequest[]): Promise<string | null> {
  const saved: Record<string, Json> = {};
  for (const request of requests) {
    const path = String(fillIn(request.path, saved));
    const what = `${request.method} ${path}`;
    const ask = () =>
      get(new URL(path, base).href, {
        method: request.method,
        ...(request.body !== undefined && { body: JSON.stringify(fillIn(request.body, saved)) }),
        ...(request.headers && { headers: request.headers }),
      });
    const answers = await Promise.all(Array.from({ length: request.atOnce ?? 1 }, ask));
    const wrong =
      request.atOnce === undefined
        ? judgeOne(request, answers[0]!, saved)
        : judgeEach(request.expectEach ?? [], answers);
    if (wrong) return `${what}: ${wrong}`;
    const body = parseJson(answers[0]!.body);
    for (const [name, pointer] of Object.entries(request.save ?? {})) {
      const value = valueAt(body, pointer);
      if (value === undefined) return `${what}: the answer has no ${pointer} to save`;
      saved[name] = value;
    }
  }
  return null;
}

function judgeOne(
  { expect }: FlowRequest,
  answer: HttpAnswer,
  saved: Readonly<Record<string, Json>>,
): string | null {
  if (answer.status === null) return `no answer (${answer.error})`;
  if (expect && answer.status !== expect.status)
    return `${answer.status}, expected ${expect.status}: ${answer.body.slice(0, 200)}`;
  const body = parseJson(answer.body);
  const wrong = Object.entries(expect?.json ?? {}).find(
    ([pointer, value]) => !sameJson(valueAt(body, pointer) ?? null, fillIn(value, saved)),
  );
  return wrong
    ? `${wrong[0]} is ${JSON.stringify(valueAt(body, wrong[0]) ?? null)}, expected ` +
        `${JSON.stringify(wrong[1])}`
    : null;
}

/** Which of them wins does not matter; that exactly so many do does. */
function judgeEach(expected: readonly number[], answers: readonly HttpAnswer[]): string | null {
  const got = answers.map((answer) => answer.status ?? 0).sort((a, b) => a - b);
  const wanted = [...expected].sort((a, b) => a - b);
  return sameJson(got, wanted) ? null : `answers ${got.join(', ')}, expected ${wanted.join(', ')}`;
}
