// The worker's connection, by Temporal's own environment variables and profile file.
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection } from '@temporalio/worker';
import type { Log } from '../src/io/log.ts';

export interface Connected {
  readonly connection: NativeConnection;
  readonly namespace: string;
}

/** Connects, waiting for a server that is not up yet. */
export async function connectWorker(log: Log, waitMs = 60_000): Promise<Connected> {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  const deadline = Date.now() + waitMs;
  let said = false;
  for (;;) {
    try {
      return {
        connection: await NativeConnection.connect(connectionOptions),
        namespace: namespace ?? 'default',
      };
    } catch (error) {
      const where = `Temporal at ${connectionOptions.address ?? 'localhost:7233'}`;
      if (Date.now() > deadline)
        throw new Error(
          `${where} does not answer: ${(error as Error).message}; set TEMPORAL_ADDRESS, or start one`,
        );
      if (!said) log.warn(`${where} does not answer yet; waiting up to ${Math.round(waitMs / 1000)} s`);
      said = true;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}
