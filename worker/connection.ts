// The worker's connection, by Temporal's own environment variables and profile file.
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection } from '@temporalio/worker';

export interface Connected {
  readonly connection: NativeConnection;
  readonly namespace: string;
}

/** Connects, waiting for a server that is not up yet. */
export async function connectWorker(waitMs = 60_000): Promise<Connected> {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  const deadline = Date.now() + waitMs;
  for (;;) {
    try {
      return { connection: await NativeConnection.connect(connectionOptions), namespace: namespace ?? 'default' };
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}
