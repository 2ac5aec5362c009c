// The one place that chooses the way to deployments: through a Soakgate server where one is named, else
// Temporal itself.
import type { DeploymentClient } from '../client/door.ts';
import { Problem } from '../client/problem.ts';
import { withConnection } from './connected.ts';
import { SERVER_VARIABLE, type ServerOption } from './options.ts';
import type { Terminal } from './terminal.ts';

/** A door for the length of one piece of work. Temporal's client is only loaded where it is asked itself. */
export async function withDeploymentClient<T>(
  { server }: ServerOption,
  work: (door: DeploymentClient) => Promise<T>,
): Promise<T> {
  if (!server)
    return withConnection(async (connected) => {
      const { temporalDeploymentClient } = await import('../client/temporal-door.ts');
      return work(temporalDeploymentClient(connected));
    });
  const { httpDeploymentClient } = await import('../client/http-door.ts');
  return work(httpDeploymentClient(server));
}

/** Says that a command speaks with Temporal itself. @throws Problem when a server was named for it. */
export function needsTemporal(terminal: Terminal, command: string, { server }: ServerOption): void {
  if (server !== undefined)
    throw new Problem(
      'usage',
      `${command} needs a direct connection to Temporal, not a Soakgate server`,
      'remove --server and set TEMPORAL_ADDRESS',
    );
  if (process.env[SERVER_VARIABLE])
    terminal.say(`${command} needs Temporal itself: ${SERVER_VARIABLE} is not used, TEMPORAL_ADDRESS is`);
}
