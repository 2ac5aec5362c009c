// The client's connection, by Temporal's own environment variables and profile file.
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { messageOf, Problem } from './problem.ts';

export interface Connected {
  readonly client: Client;
  readonly namespace: string;
  close(): Promise<void>;
}

const CONNECT_MS = 5_000;

/** Address and namespace that the next connection would have. */
export function connectionNames(): { readonly address: string; readonly namespace: string } {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  return { address: connectionOptions.address ?? 'localhost:7233', namespace: namespace ?? 'default' };
}

export interface ConnectOptions {
  readonly waitMs?: number;
  /** Instead of the one that Temporal's own settings name. */
  readonly address?: string;
}

/** @throws Problem that names the address when no server answers. */
export async function connectClient(options: ConnectOptions = {}): Promise<Connected> {
  const { connectionOptions } = loadClientConnectConfig();
  const names = connectionNames();
  const address = options.address ?? names.address;
  const { namespace } = names;
  const connection = await Connection.connect({ ...connectionOptions, address, connectTimeout: options.waitMs ?? CONNECT_MS }).catch(
    (error: unknown) => {
      throw new Problem(
        'unreachable',
        `no Temporal server answers at ${address} (${messageOf(error)})`,
        'set TEMPORAL_ADDRESS, or start one: temporal server start-dev',
      );
    },
  );
  return { client: new Client({ connection, namespace }), namespace, close: () => connection.close() };
}
