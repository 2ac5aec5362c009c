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
      // The address is a secret, and fetch says it.
      throw new Error(`the webhook does not answer (${error.name})`);
    });
    await answer.body?.cancel();
    if (!answer.ok) throw new Error(`the webhook answered ${answer.status}`);
  },
};
