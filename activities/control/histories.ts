// Histories of the deployment's workflows, as Temporal's own replayer reads them.
import { getClient } from '@temporalio/activity';

interface History {
  readonly events?: readonly unknown[] | null;
}

/**
 * The history of the run that belongs to this deployment. A rollout's workflow id is used again by the next
 * deployment,
 * so the newest run under it may be another's.
 */
export async function historyOf(workflowId: string, deployment: string): Promise<History> {
  const { workflow } = getClient();
  const newest = await workflow.getHandle(workflowId).fetchHistory();
  if (belongsTo(newest, deployment)) return newest;
  for await (const run of workflow.list({ query: `WorkflowId = "${workflowId}"` })) {
    const history = await workflow.getHandle(workflowId, run.runId).fetchHistory();
    if (belongsTo(history, deployment)) return history;
  }
  throw new Error(`no run of ${workflowId} belongs to ${deployment}`);
}

/** Whether the first event's input is about this deployment: `start.body.deployment`, or the rollout's. */
function belongsTo(history: History, deployment: string): boolean {
  const first = history.events?.[0] as
    | { workflowExecutionStartedEventAttributes?: { input?: { payloads?: { data?: Uint8Array }[] } } }
    | undefined;
  const data = first?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data;
  if (!data) return false;
  try {
    const input = JSON.parse(Buffer.from(data).toString('utf8')) as {
      start?: { body?: { deployment?: string } };
      run?: { rollout?: { deployment?: string } };
    };
    return (input.start?.body?.deployment ?? input.run?.rollout?.deployment) === deployment;
  } catch {
    return false;
  }
}
