// The client's connection, by Temporal's own environment variables and profile file.
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';

export interface Connected {
  readonly client: Client;
  readonly namespace: string;
  close(): Promise<void>;
}

/** @throws Error that names the address when no server answers. */
export async function connectClient(): Promise<Connected> {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  const address = connectionOptions.address ?? 'localhost:7233';
  const connection = await Connection.connect({ ...connectionOptions, connectTimeout: '10s' }).catch((error: Error) => {
    throw new Error(`no Temporal server answers at ${address} (${error.message}); set TEMPORAL_ADDRESS, or start one: temporal server start-dev`);
  });
  return {
    client: new Client({ connection, namespace: namespace ?? 'default' }),
    namespace: namespace ?? 'default',
    close: () => connection.close(),
  };
}
