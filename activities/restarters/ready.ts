// Up means: it answers, with the build of the release that runs. For every restarter the same.
import { fail } from '../../src/core/failures.ts';
import { valueAt } from '../../src/core/pointer.ts';
import { get } from '../../src/io/http.ts';
import { parseJson } from '../checks/command.ts';
import type { Work } from '../frame/step-context.ts';
import { runtimeOf } from '../runtimes/index.ts';

/** Options that every restarter takes. */
export interface ReadyOptions {
  /** Path asked over HTTP until it answers 2xx. */
  readonly ready?: string;
  /** JSON pointer into the ready answer: the build id, which must be the commit of the release that runs. */
  readonly build?: string;
}

interface Watched {
  /** Null while it lives; else what became of it. */
  readonly ended: () => Promise<string | null>;
  /** Null while nothing speaks against it that this very process answers; else what does. */
  readonly elsewhere?: () => Promise<string | null>;
  /** The tail of its log. */
  readonly lastWords: () => Promise<readonly string[]>;
}

const READY_MS = 30_000;
const PAUSE_MS = 100;

/**
 * Waits until the service answers, and proves which build it is.
 * @throws StepFailure SERVICE_FAILED with the tail of its log.
 */
export async function untilReady(
  work: Work,
  service: { readonly name: string },
  options: ReadyOptions,
  { ended, elsewhere, lastWords }: Watched,
): Promise<string> {
  const deadline = performance.now() + READY_MS;
  // What is closed to its users answers inside only.
  const base =
    work.service.inside ??
    work.list.environment.maintenance?.inside ??
    work.service.url ??
    work.list.environment.url;
  for (;;) {
    const end = await ended();
    if (end !== null) fail('SERVICE_FAILED', `${service.name} ${end}`, await lastWords());
    if (!options.ready || !base) return '';
    const answer = await get(new URL(options.ready, base).href, { timeoutMs: 2_000 });
    const answers = answer.status !== null && answer.status < 300;
    // An old process that kept the port answers as well: whoever was started must listen itself.
    const other = answers ? await elsewhere?.() : undefined;
    if (answers && !other) return proveBuild(work, service, options, answer.body);
    if (performance.now() > deadline)
      fail(
        'SERVICE_FAILED',
        other
          ? `${service.name} answers ${options.ready}, but ${other}`
          : `${service.name} does not answer ${options.ready}`,
        await lastWords(),
      );
    work.progress(`${service.name}: waiting for ${options.ready}`);
    await new Promise((wake) => setTimeout(wake, PAUSE_MS));
    work.signal.throwIfAborted();
  }
}

/** That it answers says little; that it answers with the right build id proves which code serves. */
async function proveBuild(
  work: Work,
  service: { readonly name: string },
  { build }: ReadyOptions,
  body: string,
): Promise<string> {
  if (build === undefined) return '';
  const found = valueAt(parseJson(body), build);
  const serving = await runtimeOf(work).running(work);
  if (found !== serving)
    fail(
      'SERVICE_FAILED',
      `${service.name} serves build ${JSON.stringify(found ?? null)}, expected ${serving}`,
    );
  return `, serving build ${(serving ?? '').slice(0, 12)}`;
}
