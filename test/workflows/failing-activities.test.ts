// Every activity, failing at every one of its calls: whatever happens then, no workflow ends in FAILED and
// every one ends.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Failing, Script } from '../support/stand-ins.ts';
import { type Answers, answerAll, nothingFailed } from '../support/people.ts';
import { storyPlan } from '../support/story-plan.ts';
import { DAY, devServer, openTheatre, type Run, type Theatre } from '../support/theatre.ts';

let theatre: Theatre;
beforeAll(async () => {
  if (devServer) theatre = await openTheatre({ real: true });
});
afterAll(() => theatre?.close());

interface Line {
  readonly plan: string;
  readonly script: Script;
  readonly answers?: () => Answers;
}

const quick = { soak: 'for: 4d, every: 1d, gap: at most 2d', watch: 'for: 2d, every: 1d, gap: at most 2d' };
const low: Script['reads'] = (_, id, since) => (id === 'shop/paid' && since >= DAY ? 0.5 : undefined);
const ways = `  relax: { forward: 0003_relax }
  restore: { approved: { roles: [dba] }, loses: writes-since-backup }
`;
const asking = '  - { when: { monitor: shop }, ask: [continue, relax, downgrade, restore] }\n';
/** Says these words one after the other to decisions that are not about a failure. */
const saying =
  (...words: readonly string[]) =>
  (): Answers => {
    const left = [...words];
    return {
      word: ({ kind, options }) =>
        options.includes('retry')
          ? 'retry'
          : kind === 'approval'
            ? options[0]!
            : (left.shift() ?? 'downgrade'),
    };
  };

const lines: Readonly<Record<string, Line>> = {
  completed: {
    plan: storyPlan({ ...quick, window: '"* * * * *"', afterwards: 'every: 7d' }),
    script: { stands: (environment, _, passed) => environment === 'staging' && passed },
  },
  'rolled back': {
    plan: storyPlan({ ...quick, only: 'staging' }),
    script: {
      reads: (_, id, since) => (id === 'site/failures' && since >= DAY ? 9 : undefined),
      compare: (times) => ({
        equal: times > 1,
        differences: times > 1 ? [] : ['orders 1'],
        writtenSince: [],
        summary: 'compared',
      }),
    },
  },
  'forward, then back': {
    plan: storyPlan({ ...quick, only: 'staging', fallbacks: ways, matrix: asking }),
    script: { reads: low },
    answers: saying('relax', 'downgrade'),
  },
  restored: {
    plan: storyPlan({ ...quick, only: 'staging', fallbacks: ways, matrix: asking }),
    script: { reads: low },
    answers: saying('restore'),
  },
};

async function play(line: Line, fails?: (run: () => Run) => Script['fails']): Promise<Run> {
  let run: Run;
  const failing = fails?.(() => run);
  run = await theatre.run(
    line.plan,
    { ...line.script, ...(failing && { fails: failing }) },
    { timing: { retryMs: 5 } },
  );
  await answerAll(theatre, run, line.answers?.());
  return run;
}

const CALLS = 'calls of ';
const called = (run: Run): readonly string[] =>
  [...run.part.counts.keys()].filter((key) => key.startsWith(CALLS)).map((key) => key.slice(CALLS.length));

/**
 * At its first, third, fifth and seventh call, so that what is called again after a failure gets on, and so
 * does one of two that are called in turns.
 */
const odd = (activity: string, how: Failing) => (): Script['fails'] => (name, call) =>
  name === activity && call % 2 === 1 && call < 8 ? how : null;

/** An abort reaches the deployment while the call is under way that fails. */
const withAbort =
  (activity: string) =>
  (run: () => Run): Script['fails'] =>
  async (name, call) => {
    if (name !== activity || call !== 1) return null;
    const handle = theatre.env.client.workflow.getHandle(run().workflowId);
    await handle.signal('abort', await run().sign('abort', 'dan', 'staging'));
    return 'final';
  };

/** So many at once, because each waits most of its time. */
async function each<T>(
  items: readonly T[],
  act: (item: T) => Promise<void>,
  atOnce = 6,
): Promise<readonly string[]> {
  const left = [...items];
  const broken: string[] = [];
  const work = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift())
      await act(item).catch(
        (error: unknown) => void broken.push(`${JSON.stringify(item)}: ${(error as Error).message}`),
      );
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return broken;
}

/** Covered by an earlier line: the later ones try what is new in them. */
const tried = new Set<string>();

describe.runIf(devServer)('an activity that fails', () => {
  test.each(Object.keys(lines))(
    '%s: at any of its calls, for good, after all its attempts, or with an abort',
    { timeout: 900_000 },
    async (name) => {
      const line = lines[name]!;
      const whole = await play(line);
      await nothingFailed(theatre, whole, ['staging', 'production']);
      const fresh = called(whole).filter((activity) => !tried.has(activity));
      fresh.forEach((activity) => tried.add(activity));
      expect(fresh.length).toBeGreaterThan(0);
      const cases = fresh.flatMap((activity) => [
        { activity, how: 'final' },
        { activity, how: 'retried' },
        { activity, how: 'abort' },
      ]);
      const broken = await each(cases, async ({ activity, how }) => {
        const run = await play(line, how === 'abort' ? withAbort(activity) : odd(activity, how as Failing));
        expect(called(run)).toContain(activity);
        await nothingFailed(theatre, run, ['staging', 'production']);
      });
      expect(broken).toEqual([]);
    },
  );
});
