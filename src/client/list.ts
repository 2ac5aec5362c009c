// All deployments as visibility knows them; needs no worker.
import type { Connected } from './connection.ts';

export interface DeploymentRow {
  readonly deployment: string;
  readonly service: string;
  /** The deployment's own word while it runs, Temporal's for one that was ended from outside. */
  readonly phase: string;
  readonly health: string;
  readonly waitingFor: string | null;
  /** RFC 3339. */
  readonly started: string;
  readonly running: boolean;
}

const QUERY = "WorkflowType = 'deployment'";
const NOBODY = 'nobody';

/** Newest first; visibility lags behind by a moment. */
export async function listDeployments({ client }: Connected, limit: number, runningOnly: boolean): Promise<readonly DeploymentRow[]> {
  const rows: DeploymentRow[] = [];
  const query = runningOnly ? `${QUERY} AND ExecutionStatus = 'Running'` : QUERY;
  for await (const info of client.workflow.list({ query, pageSize: Math.min(limit, 100) })) {
    const attribute = (name: string): string | undefined => {
      const value = (info.searchAttributes as Record<string, readonly unknown[] | undefined>)[name]?.[0];
      return typeof value === 'string' ? value : undefined;
    };
    const status = info.status.name;
    const own = status === 'RUNNING' || status === 'COMPLETED';
    const waitingFor = attribute('SoakgateWaitingFor');
    rows.push({
      deployment: info.workflowId.replace(/^deployment\//u, ''),
      service: String(info.memo?.['service'] ?? attribute('SoakgateService') ?? ''),
      phase: own ? (attribute('SoakgatePhase') ?? 'not begun') : status.toLowerCase(),
      health: own ? (attribute('SoakgateHealth') ?? 'unknown') : 'ended',
      waitingFor: status === 'RUNNING' && waitingFor !== NOBODY ? (waitingFor ?? 'a control worker') : null,
      started: info.startTime.toISOString(),
      running: status === 'RUNNING',
    });
    if (rows.length >= limit) break;
  }
  return rows;
}
