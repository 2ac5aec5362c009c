// The client's connection, by Temporal's own environment variables and profile file.
import {
  Client,
  Connection,
  type ConnectionOptions,
  defaultGrpcRetryOptions,
  makeGrpcRetryInterceptor,
} from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { connectionNames } from './connection-names.ts';
import { messageOf, Problem } from './problem.ts';

export interface Connected {
  readonly client: Client;
  readonly namespace: string;
  close(): Promise<void>;
}

const CONNECT_MS = 5_000;
/** A page of a history of large messages is larger than gRPC's own 4 MB; as much as the workers take. */
const LARGEST_ANSWER = 134_217_728;

const channelArgs = ({
  channelArgs: given,
}: ConnectionOptions): NonNullable<ConnectionOptions['channelArgs']> => ({
  'grpc.max_receive_message_length': LARGEST_ANSWER,
  ...given,
});

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
  const connection = await Connection.connect({
    ...connectionOptions,
    channelArgs: channelArgs(connectionOptions),
    address,
    connectTimeout: options.waitMs ?? CONNECT_MS,
  }).catch((error: unknown) => {
    throw new Problem(
      'unreachable',
      `no Temporal server answers at ${address} (${messageOf(error)})`,
      'set TEMPORAL_ADDRESS, or start one: temporal server start-dev',
    );
  });
  return { client: new Client({ connection, namespace }), namespace, close: () => connection.close() };
}

const CALL_MS = 5_000;
const ATTEMPTS = 4;

type Interceptor = NonNullable<ConnectionOptions['interceptors']>[number];

/** No call without an end: what has no deadline of its own gets this one, retries included. */
const withinFiveSeconds: Interceptor = (options, nextCall) =>
  // The chain hands on whatever the next one makes; grpc-js only types it narrower.
  nextCall({ ...options, deadline: options.deadline ?? Date.now() + CALL_MS }) as ReturnType<Interceptor>;

/**
 * For a process that outlives its Temporal server: it connects when it is first asked, and again soon after
 * it was lost.
 */
export function lazyClient(): Connected {
  const { connectionOptions } = loadClientConnectConfig();
  const { address, namespace } = connectionNames();
  const connection = Connection.lazy({
    ...connectionOptions,
    address,
    interceptors: [
      withinFiveSeconds,
      makeGrpcRetryInterceptor(defaultGrpcRetryOptions({ maxAttempts: ATTEMPTS })),
    ],
    channelArgs: {
      ...channelArgs(connectionOptions),
      'grpc.initial_reconnect_backoff_ms': 200,
      'grpc.max_reconnect_backoff_ms': 1_000,
    },
  });
  return { client: new Client({ connection, namespace }), namespace, close: () => connection.close() };
}
