// What commands ask of deployments, whichever way they reach them: Temporal itself, or a Soakgate server that
// speaks with it.
import type { SealedGateReport, Signed, SignedStart } from '../core/messages.ts';
import type { DeploymentInput } from '../../workflows/contract.ts';
import type { CheckedStart } from './recompile.ts';
import type { DeploymentRow, ListPage, ListQuery } from './list.ts';
import type { Sent } from './send.ts';
import type { Started } from './start.ts';
import type { DeploymentStatus } from './status.ts';

export interface StartedHere extends Started {
  /** Into the Web UI; null where that is not known. */
  readonly link: string | null;
}

/** Every way in answers the same and throws the same Problems. */
export interface DeploymentClient {
  /** @throws Problem when Temporal does not answer through this door. */
  reach(): Promise<void>;
  /** `checked` is what it was read to before; left out, it is read here. */
  start(signed: SignedStart, checked?: CheckedStart): Promise<StartedHere>;
  list(query: ListQuery): Promise<ListPage>;
  /** What it was started with. */
  input(deployment: string): Promise<DeploymentInput>;
  /** What never changes is read once; `read` gives its state now. */
  status(deployment: string): Promise<{ readonly read: () => Promise<DeploymentStatus> }>;
  /** Checked against what was started. */
  gateReport(input: DeploymentInput, environment: string): Promise<SealedGateReport>;
  /** What a restore in this environment would lose now, or why it was not counted, as one line. */
  losses(input: DeploymentInput, environment: string): Promise<string>;
  send(signed: Signed): Promise<Sent>;
  close(): Promise<void>;
}

/** The largest page that is asked for at once. */
export const MOST_ROWS = 100;

/** Pages until there are so many. */
export async function listMany(
  door: DeploymentClient,
  limit: number,
  runningOnly: boolean,
): Promise<readonly DeploymentRow[]> {
  const rows: DeploymentRow[] = [];
  let cursor: string | null = null;
  do {
    const page: ListPage = await door.list({
      limit: Math.min(limit, MOST_ROWS),
      ...(runningOnly && { state: 'running' }),
      ...(cursor !== null && { cursor }),
    });
    rows.push(...page.deployments);
    cursor = page.next;
  } while (cursor !== null && rows.length < limit);
  return rows.slice(0, limit);
}
