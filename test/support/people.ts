// People who answer whatever a run asks, until it has ended; and what must be true of it however it ended.
import proto from '@temporalio/proto';
import { expect } from 'vitest';
import type { ShownProgress } from '../../src/client/shown-progress.ts';
import type { Waiting } from '../../src/core/waiting.ts';
import type { Run, Theatre } from './theatre.ts';

const PATIENCE_MS = 200_000;
/** The first of these that is offered. */
const WORDS = ['retry', 'extend', 'fixed-manually'];

export interface Answers {
  /** The word for a question; left out, `retry`, then the first that is offered. */
  readonly word?: (waiting: Extract<Waiting, { options: readonly string[] }>) => string;
  /**
   * Called with every look at the progress of staging, then of production; for a message at a certain moment.
   */
  readonly look?: (run: Run, progress: ShownProgress, environment: string) => Promise<unknown>;
}

/** Until the deployment is no running workflow any more. */
export async function answerAll(theatre: Theatre, run: Run, { word, look }: Answers = {}): Promise<void> {
  const handle = theatre.env.client.workflow.getHandle(run.workflowId);
  const answer = async (waiting: Waiting) => {
    if ('options' in waiting) {
      const decision =
        word?.(waiting) ?? WORDS.find((one) => waiting.options.includes(one)) ?? waiting.options[0]!;
      const { environment } = waiting;
      for (const person of ['lea', 'dan'] as const)
        await run.send('decide', person, environment, { decision });
    } else if (waiting.kind === 'gate' && waiting.missing.some(({ kind }) => kind === 'approval')) {
      const { environment } = waiting;
      for (const person of ['lea', 'dan'] as const) await run.send('approve', person, environment);
    }
  };
  for (const deadline = Date.now() + PATIENCE_MS; (await handle.describe()).status.name === 'RUNNING';) {
    if (Date.now() > deadline)
      throw new Error(
        `no end; it is ${JSON.stringify(await run.progress())}; calls: ${run.part.calls.join(', ')}`,
      );
    for (const environment of ['staging', 'production']) {
      const progress = await run.progress(environment).catch(() => null);
      if (progress) await look?.(run, progress, environment);
    }
    const progress = await run.progress().catch(() => null);
    for (const waiting of progress?.waiting ?? []) await answer(waiting).catch(() => undefined);
    run.release();
    await new Promise((wake) => setTimeout(wake, 60));
  }
}

/** The server's own answer to a task that ends its workflow while an event arrives: it is tried again. */
const OVERTAKEN =
  proto.temporal.api.enums.v1.WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND;

/** No workflow of the run has failed, and no task of one. */
export async function nothingFailed(
  theatre: Theatre,
  run: Run,
  environments: readonly string[],
): Promise<void> {
  for (const id of [run.workflowId, ...environments.map((name) => run.rolloutId(name))]) {
    const handle = theatre.env.client.workflow.getHandle(id);
    const found = await handle.describe().catch(() => null);
    if (!found) continue;
    expect(`${id} ${found.status.name}`).toBe(`${id} COMPLETED`);
    const { events } = await handle.fetchHistory();
    const failed = (events ?? []).flatMap(({ workflowTaskFailedEventAttributes: task }) => task ?? []);
    const ours = failed.filter(({ cause }) => cause !== OVERTAKEN);
    expect(ours.map(({ failure }) => failure?.message)).toEqual([]);
  }
}
