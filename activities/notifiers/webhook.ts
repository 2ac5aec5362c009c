// A POST of the notice as JSON, with `text` for receivers that show one line.
import { resolveSecret } from '../../src/io/settings.ts';
import type { Notifier } from './notifier.ts';

const PATIENCE_MS = 10_000;

export const webhook: Notifier<'webhook'> = {
  send: async ({ url }, notice) => {
    const answer = await fetch(await resolveSecret(url), {
      method: 'POST',
      redirect: 'error',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(notice),
      signal: AbortSignal.timeout(PATIENCE_MS),
    }).catch((error: Error) => {
      throw new Error(`the webhook ${whyNot(error)}`);
    });
    await answer.body?.cancel();
    if (!answer.ok) throw new Error(`the webhook answered ${answer.status}`);
  },
};

/** The address is a secret, and the messages of fetch hold it. */
function whyNot(error: Error): string {
  if (error.name === 'TimeoutError') return `did not answer within ${PATIENCE_MS / 1_000} s`;
  const { code, message } = (error.cause ?? {}) as { readonly code?: string; readonly message?: string };
  if (message === 'unexpected redirect') return 'redirects to another address, which is not followed';
  return `cannot be reached (${code ?? error.name})`;
}
