// Tells an environment's notifiers what waits for a person there; nothing else waits for it, and it stops no
// run.
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { notify } from '../activities/notifiers/index.ts';
import type { Notice } from '../src/core/plan/notifiers/notifier.ts';
import { nextCommand, questionOf, type Waiting, waitingTextOfAll } from '../src/core/waiting.ts';
import { readIfThere, sha256, writeWhole } from '../src/io/files.ts';
import type { Log } from '../src/io/log.ts';
import type { LiveEnvironmentFile } from '../src/io/environment-file.ts';
import type { EnvironmentSettings } from '../src/io/settings.ts';
import type { Connected } from './connection.ts';

const EVERY_MS = 10_000;
const MOST_RUNNING = 500;
const LONGEST_TEXT = 1_000;
const RUNNING = "WorkflowType = 'deployment' AND ExecutionStatus = 'Running'";
interface Asked {
  readonly id: string;
  readonly notice: Notice;
}

/**
 * Asks the server every few seconds until `over`. A notice is delivered at least once by each entry of
 * `notifiers`; what is still waiting after a restart is not told again.
 */
export async function notifyWhatWaits(
  connected: Connected,
  file: Pick<LiveEnvironmentFile, 'settings'>,
  log: Log,
  over: AbortSignal,
  everyMs = EVERY_MS,
): Promise<void> {
  const ledger = join(file.settings.permitStore, 'notified.json');
  while (!over.aborted) {
    await tellOnce(connected, file.settings, log, ledger).catch((error: Error) =>
      log.warn(`nobody was notified, and it is tried again: ${error.message}`),
    );
    await pause(everyMs, null, { signal: over }).catch(() => undefined);
  }
}

async function tellOnce(
  connected: Connected,
  { environment, notifiers }: EnvironmentSettings,
  log: Log,
  ledger: string,
): Promise<void> {
  if (notifiers.length === 0) return;
  const told = JSON.parse((await readIfThere(ledger)) ?? '[]') as readonly string[];
  const asked = await whatWaits(connected, environment);
  const wanted = asked.flatMap(({ id, notice }) =>
    notifiers.map((entry, index) => ({ id: `${id}/${index}`, entry, notice })),
  );
  let kept = told.filter((id) => wanted.some((one) => one.id === id));
  for (const { id, entry, notice } of wanted.filter((one) => !told.includes(one.id))) {
    const [name] = Object.keys(entry);
    try {
      await notify(entry, notice);
      kept = [...kept, id];
      await writeWhole(ledger, JSON.stringify(kept));
    } catch (error) {
      log.warn(`${name} was not notified and will be again: ${(error as Error).message}`, {
        deployment: notice.deployment,
      });
    }
  }
  if (kept.length < told.length) await writeWhole(ledger, JSON.stringify(kept));
}

/** One for each thing that waits for a person in this environment, in all running deployments. */
async function whatWaits(connected: Connected, environment: string): Promise<readonly Asked[]> {
  const { connection, namespace } = connected;
  const { executions } = await connection.workflowService.listWorkflowExecutions({
    namespace,
    query: RUNNING,
    pageSize: MOST_RUNNING,
  });
  const found = await Promise.all(
    executions.map(({ execution }) =>
      // One whose worker is away, or that nobody can read, keeps no other from being reported.
      whatOneWaitsFor(connected, execution, environment).catch(() => []),
    ),
  );
  return found.flat();
}

async function whatOneWaitsFor(
  { connection, namespace }: Connected,
  execution: { readonly workflowId?: string | null } | null | undefined,
  environment: string,
): Promise<readonly Asked[]> {
  const query = { queryType: 'progress' };
  const answer = await connection.workflowService.queryWorkflow({ namespace, execution, query });
  const data = answer.queryResult?.payloads?.[0]?.data;
  if (!data) return [];
  const { deployment, waiting } = JSON.parse(Buffer.from(data).toString()) as {
    readonly deployment: string;
    readonly waiting: readonly Waiting[];
  };
  return waiting
    .filter((one) => (one.environment ?? environment) === environment)
    .flatMap((one) => askedOf(deployment, environment, one) ?? []);
}

function askedOf(deployment: string, environment: string, waiting: Waiting): Asked | null {
  const question = questionOf(waiting);
  if (question === null) return null;
  return {
    id: sha256(JSON.stringify([deployment, environment, question])),
    notice: {
      deployment,
      environment,
      kind: waiting.kind,
      text: `${deployment} waits for ${waitingTextOfAll([waiting])}`.slice(0, LONGEST_TEXT),
      next: nextCommand([waiting], deployment),
    },
  };
}
