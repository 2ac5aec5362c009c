// The threads that read starts: few, each with a deadline and bounded memory, and a bounded queue in front of them. The
// server itself goes on to answer, whatever a body holds.
import { Piscina } from 'piscina';
import { Problem } from '../client/problem.ts';
import { Refused } from './problems.ts';
import type { ReadStart, StartReading } from './start-reader.ts';

export interface StartThreads {
  /** @throws Refused when the start is not right; Problem when no thread was free, or it took too long. */
  read(body: ArrayBuffer): Promise<ReadStart>;
  close(): Promise<void>;
}

export interface StartThreadsOptions {
  readonly threads: number;
  /** Starts that may wait for a thread. */
  readonly waiting: number;
  /** From arrival to the end, the wait for a thread included. */
  readonly deadlineMs: number;
  /** The module that reads; only tests have another. */
  readonly entry?: URL;
}

const USUAL: StartThreadsOptions = { threads: 2, waiting: 32, deadlineMs: 10_000 };
const MOST_MEGABYTES = 512;
const IDLE_MS = 30_000;

/** A thread that misses its deadline is ended, and replaced by another. */
export function openStartThreads(options: Partial<StartThreadsOptions> = {}): StartThreads {
  const { threads, waiting, deadlineMs, entry = readerEntry() } = { ...USUAL, ...options };
  const pool = new Piscina<ArrayBuffer, StartReading>({
    filename: entry.href,
    name: 'readStart',
    minThreads: 1,
    maxThreads: threads,
    maxQueue: waiting,
    idleTimeout: IDLE_MS,
    // It needs nothing of them, and they hold credentials.
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: MOST_MEGABYTES },
  });
  // A thread that ends by itself fails the work that it had; there is nothing else to tell.
  pool.on('error', () => undefined);
  return {
    read: async (body) => {
      if (pool.queueSize >= waiting) throw busy('too many starts are being read at once');
      const reading = await run(pool, body, deadlineMs);
      if ('refused' in reading) throw new Refused(reading.refused);
      if ('failed' in reading) throw new Error(`a start could not be read: ${reading.failed}`);
      return reading.read;
    },
    close: () => pool.destroy(),
  };
}

async function run(
  pool: Piscina<ArrayBuffer, StartReading>,
  body: ArrayBuffer,
  deadlineMs: number,
): Promise<StartReading> {
  const signal = AbortSignal.timeout(deadlineMs);
  try {
    return await pool.run(body, { signal, transferList: [body] });
  } catch (error) {
    if (signal.aborted) throw busy(`the start was not read within ${deadlineMs / 1000} s`);
    if ((error as { code?: unknown }).code === 'ERR_WORKER_OUT_OF_MEMORY')
      throw busy('the start took more memory than one may take');
    throw error;
  }
}

const busy = (why: string): Problem =>
  new Problem('busy', why, 'send it again after the time that Retry-After says; the same start counts once');

/** The source in a checkout, the built file in a package. */
function readerEntry(): URL {
  return new URL(
    import.meta.url.endsWith('.ts') ? './start-reader.ts' : './start-reader.js',
    import.meta.url,
  );
}
