// The door to Temporal itself.
import type { Connected } from './connection.ts';
import type { DeploymentClient } from './door.ts';
import { readGateReport } from './gate-report.ts';
import { deploymentInputOf } from './history.ts';
import { workflowLink } from './links.ts';
import { listPage } from './list.ts';
import { readLosses } from './losses.ts';
import { reaching } from './reach.ts';
import { sendMessage } from './send.ts';
import { startDeployment } from './start.ts';
import { openStatus } from './status.ts';

const REACH_MS = 3_000;

/** Closing the door closes the connection. */
export function temporalDeploymentClient(connected: Connected): DeploymentClient {
  const { client } = connected;
  return {
    reach: () =>
      reaching(
        async () =>
          void (await client.connection.withDeadline(Date.now() + REACH_MS, () =>
            client.workflowService.getSystemInfo({}),
          )),
      ),
    start: (signed, checked) =>
      reaching(async () => {
        const started = await startDeployment(connected, signed, undefined, checked);
        return { ...started, link: workflowLink(started.workflowId, started.runId) };
      }),
    list: (query) => reaching(() => listPage(connected, query)),
    input: (deployment) => reaching(() => deploymentInputOf(connected, deployment)),
    status: (deployment) =>
      reaching(async () => {
        const { read } = await openStatus(connected, deployment);
        return { read: () => reaching(read) };
      }),
    gateReport: (input, environment) => reaching(() => readGateReport(connected, input, environment)),
    losses: (input, environment) => reaching(() => readLosses(connected, input, environment)),
    send: (signed) => reaching(() => sendMessage(connected, signed)),
    close: () => connected.close(),
  };
}
