// The one door to HTTP: a status and a body, or no answer; never an exception for what a server says.

export interface HttpAnswer {
  /** Null when there was no answer. */
  readonly status: number | null;
  readonly body: string;
  readonly tookMs: number;
  readonly error?: string;
}

export interface HttpOptions {
  readonly timeoutMs?: number;
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const TIMEOUT_MS = 10_000;
const LARGEST_BODY = 1024 * 1024;

/** One request; redirects are not followed, because a 301 is an answer to be judged. */
export async function get(url: string, options: HttpOptions = {}): Promise<HttpAnswer> {
  const started = performance.now();
  try {
    const response = await fetch(url, {
      method: options.method ?? 'GET',
      redirect: 'manual',
      signal: AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS),
      ...(options.body !== undefined && { body: options.body }),
      headers: {
        ...(options.body !== undefined && { 'content-type': 'application/json' }),
        ...options.headers,
      },
    });
    const body = (await response.text()).slice(0, LARGEST_BODY);
    return { status: response.status, body, tookMs: performance.now() - started };
  } catch (error) {
    const cause = (error as { cause?: { code?: string } }).cause?.code;
    return {
      status: null,
      body: '',
      tookMs: performance.now() - started,
      error: cause ?? (error as Error).message,
    };
  }
}
