// An address, asked once: `failures` 0 or 1, `latency` in ms, `status`. No answer is a failure, not a missing sample.
import type { Json } from '../../src/core/plan/plan.ts';
import { get } from '../../src/io/http.ts';
import { outsideAddress, type Work } from '../work.ts';

export async function readHttp(
  work: Work,
  read: { readonly get: string; readonly status: number },
): Promise<Json> {
  const answer = await get(new URL(read.get, outsideAddress(work)).href);
  const good = answer.status === read.status;
  return { failures: good ? 0 : 1, latency: good ? answer.tookMs : null, status: answer.status };
}
