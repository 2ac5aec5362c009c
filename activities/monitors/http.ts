// An address, asked once: `failures` 0 or 1, `latency` in ms, `status`. No answer is a failure, not a missing
// sample.
import { get } from '../../src/io/http.ts';
import { outsideAddress } from '../frame/step-context.ts';
import { documentReader } from './reader.ts';

export const readHttp = documentReader<'http'>(async (work, { read: { http } }) => {
  const answer = await get(new URL(http.get, outsideAddress(work)).href);
  const good = answer.status === http.status;
  return { failures: good ? 0 : 1, latency: good ? answer.tookMs : null, status: answer.status };
});
