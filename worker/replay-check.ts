// Whether this version can take over what runs in a namespace: each running workflow of ours is replayed with
// its code.
//   replay-check.ts [--json]
import { openLog } from '../src/io/log.ts';
import { type Connected, connectWorker } from './connection.ts';
import { beQuiet, replayAll, type Replayed, type ReplayedHistories } from './replay.ts';

const WAIT_MS = 5_000;
const RUNNING = 'ExecutionStatus = "Running" AND WorkflowType IN ("deployment", "rollout", "afterwards")';
const NEXT =
  'next: let these end with workers of the version that started them (soakgate list), or abort them; ' +
  'then start workers of this version';

interface Execution {
  readonly workflowId: string;
  readonly runId: string;
}

async function running({ connection, namespace }: Connected): Promise<readonly Execution[]> {
  const found: Execution[] = [];
  for (let nextPageToken: Uint8Array | null | undefined; ;) {
    const page = await connection.workflowService.listWorkflowExecutions({
      namespace,
      query: RUNNING,
      ...(nextPageToken && { nextPageToken }),
    });
    for (const { execution } of page.executions)
      found.push({ workflowId: execution!.workflowId!, runId: execution!.runId! });
    nextPageToken = page.nextPageToken;
    if (!nextPageToken?.length) return found;
  }
}

/**
 * The histories one after the other: of those that have ended meanwhile, too. One that no worker has taken
 * yet fits every version.
 */
async function* histories(
  { connection, namespace }: Connected,
  executions: readonly Execution[],
): ReplayedHistories {
  for (const execution of executions) {
    const events = [];
    for (let nextPageToken: Uint8Array | null | undefined; ;) {
      const page = await connection.workflowService.getWorkflowExecutionHistory({
        namespace,
        execution,
        ...(nextPageToken && { nextPageToken }),
      });
      events.push(...(page.history?.events ?? []));
      nextPageToken = page.nextPageToken;
      if (!nextPageToken?.length) break;
    }
    if (events.some((event) => event.workflowTaskCompletedEventAttributes))
      yield { workflowId: execution.workflowId, history: { events } };
  }
}

function print(checked: readonly Replayed[], namespace: string, json: boolean): void {
  const misfits = checked.filter(({ why }) => why !== null);
  if (json) {
    console.log(JSON.stringify({ namespace, fits: misfits.length === 0, workflows: checked }, null, 1));
    return;
  }
  for (const { workflowId, why } of checked)
    console.log(why === null ? `${workflowId}: fits` : `${workflowId}: does not fit: ${why}`);
  console.log(
    misfits.length > 0
      ? `this version cannot take over ${misfits.length} of ${checked.length} running workflows in ` +
          `namespace ${namespace}\n  ${NEXT}`
      : `this version can take over what runs in namespace ${namespace} (workflows: ${checked.length})`,
  );
}

beQuiet();
const log = openLog({ level: 'warn', fields: { process: 'replay-check' } });
const connected = await connectWorker(log, WAIT_MS).catch((error: unknown) => {
  console.error(`soakgate: ${(error as Error).message}`);
  process.exit(1);
});
try {
  const executions = await running(connected);
  const answers = new Map<string, Replayed>();
  for await (const answer of replayAll(histories(connected, executions)))
    answers.set(answer.workflowId, answer);
  const checked = executions.map(({ workflowId }) => answers.get(workflowId) ?? { workflowId, why: null });
  print(checked, connected.namespace, process.argv.includes('--json'));
  if (checked.some(({ why }) => why !== null)) process.exitCode = 1;
} finally {
  await connected.connection.close();
}
