// An address of the service, asked once.
import { z } from 'zod';
import { status, urlPath } from '../forms.ts';
import { defineSource } from './source.ts';

export interface HttpRead {
  readonly http: { readonly get: string; readonly status: number };
}

export const http = defineSource({
  key: 'http',
  form: z
    .strictObject({
      get: urlPath.describe('Path below the address of the environment'),
      status: status.describe('Expected status; default: 200').optional(),
    })
    .describe('Asks the service; gives `failures` (0 or 1), `latency` and `status`'),
  beside: {},
  toRead: (file): HttpRead => ({ http: { get: file.get, status: file.status ?? 200 } }),
  given: () => ({ over: 'HTTP', metrics: ['failures', 'latency', 'status'] }),
  countsSince: () => false,
  asksOverHttp: true,
  measures: (read) => read.http.get,
  files: () => [],
  programs: () => [],
});
