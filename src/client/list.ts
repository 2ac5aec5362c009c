// All deployments as visibility knows them; needs no worker.
import type { Connected } from './connection.ts';
import { Problem } from './problem.ts';
import { isBadPage } from './reach.ts';
import type { RunState } from './run-state.ts';

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

/** The states that can be asked for, with visibility's word for each. */
export const listStates = {
  running: 'Running',
  completed: 'Completed',
  failed: 'Failed',
  cancelled: 'Canceled',
  terminated: 'Terminated',
  timed_out: 'TimedOut',
} as const satisfies Partial<Record<RunState, string>>;

export type ListState = keyof typeof listStates;

export interface ListQuery {
  readonly limit: number;
  readonly state?: ListState;
  readonly service?: string;
  /** As an earlier page gave it. */
  readonly cursor?: string;
}

export interface ListPage {
  readonly deployments: readonly DeploymentRow[];
  /** Where the next page begins; null at the end. */
  readonly next: string | null;
}

const QUERY = "WorkflowType = 'deployment'";
const NOBODY = 'nobody';
/** WorkflowExecutionStatus, by number. */
const STATUS = [
  'unspecified',
  'running',
  'completed',
  'failed',
  'cancelled',
  'terminated',
  'continued_as_new',
  'timed_out',
];
const MOST_LOOKS = 20;

/**
 * One page; running ones first, then newest first; visibility lags behind by a moment. May hold fewer than
 * `limit` although more follow.
 */
export async function listPage(
  { client, namespace }: Connected,
  { limit, state, service, cursor }: ListQuery,
): Promise<ListPage> {
  const query = state ? `${QUERY} AND ExecutionStatus = '${listStates[state]}'` : QUERY;
  let token: Uint8Array = Buffer.from(cursor ?? '', 'base64url');
  for (let look = 1; ; look += 1) {
    const page = await client.workflowService
      .listWorkflowExecutions({ namespace, query, pageSize: limit, nextPageToken: token })
      .catch((error: unknown) => {
        if (cursor === undefined || !isBadPage(error)) throw error;
        throw new Problem('usage', 'the cursor is invalid', 'start again without a cursor');
      });
    // Where no search attribute is registered the service stands in the memo only, which cannot be asked for.
    const rows = (page.executions ?? [])
      .map(rowOf)
      .filter((row) => service === undefined || row.service === service);
    token = page.nextPageToken ?? new Uint8Array();
    const next = token.length > 0 ? Buffer.from(token).toString('base64url') : null;
    if (rows.length > 0 || next === null || look === MOST_LOOKS) return { deployments: rows, next };
  }
}

type Raw = NonNullable<
  Awaited<ReturnType<Connected['client']['workflowService']['listWorkflowExecutions']>>['executions']
>[number];
type Payloads = Readonly<Record<string, { readonly data?: Uint8Array | null }>> | null | undefined;

function rowOf(raw: Raw): DeploymentRow {
  const attribute = (name: string) => textIn(raw.searchAttributes?.indexedFields, name);
  const status = STATUS[raw.status ?? 0] ?? 'unspecified';
  const own = status === 'running' || status === 'completed';
  const waitingFor = attribute('SoakgateWaitingFor');
  return {
    deployment: (raw.execution?.workflowId ?? '').replace(/^deployment\//u, ''),
    service: textIn(raw.memo?.fields, 'service') ?? attribute('SoakgateService') ?? '',
    phase: own ? (attribute('SoakgatePhase') ?? 'not started') : status,
    health: own ? (attribute('SoakgateHealth') ?? 'unknown') : 'ended',
    waitingFor: status === 'running' && waitingFor !== NOBODY ? (waitingFor ?? 'a control worker') : null,
    started: new Date(
      Number(raw.startTime?.seconds ?? 0) * 1_000 + (raw.startTime?.nanos ?? 0) / 1e6,
    ).toISOString(),
    running: status === 'running',
  };
}

function textIn(payloads: Payloads, name: string): string | undefined {
  const data = payloads?.[name]?.data;
  const value: unknown = data?.length ? JSON.parse(Buffer.from(data).toString('utf8')) : undefined;
  const text: unknown = Array.isArray(value) ? value[0] : value;
  return typeof text === 'string' ? text : undefined;
}
