// Idempotency keys: one start for each key, as long as this process remembers. Beyond that the deployment's
// name makes it one.
import { Problem } from '../client/problem.ts';

interface Kept<T> {
  readonly body: string;
  readonly answer: Promise<T>;
  readonly at: number;
}

const KEEP_MS = 86_400_000;
const MOST = 1_000;

/** Answers by key. `body` is the hash of what came with the key. */
export class Replays<T> {
  readonly #kept = new Map<string, Kept<T>>();
  readonly #now: () => number;
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /**
   * Does the work once for each key; what failed was not done, so the key is free again. @throws Problem when
   * the key came with another body.
   */
  async once(
    key: string,
    body: string,
    work: () => Promise<T>,
  ): Promise<{ readonly answer: T; readonly replayed: boolean }> {
    const kept = this.#kept.get(key);
    if (kept && this.#now() - kept.at < KEEP_MS) {
      if (kept.body !== body)
        throw new Problem(
          'conflict',
          `the idempotency key ${key} came with another start before`,
          'use a key of its own for each start',
        );
      return { answer: await kept.answer, replayed: true };
    }
    const answer = work();
    this.#keep(key, { body, answer, at: this.#now() });
    try {
      return { answer: await answer, replayed: false };
    } catch (error) {
      this.#kept.delete(key);
      throw error;
    }
  }

  /** The oldest go first. */
  #keep(key: string, kept: Kept<T>): void {
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MOST && oldest !== undefined) this.#kept.delete(oldest);
  }
}
