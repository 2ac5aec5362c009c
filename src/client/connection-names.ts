// Address and namespace of Temporal, by its own environment variables and profile file; nothing is connected.
import { loadClientConnectConfig } from '@temporalio/envconfig';

/** Address and namespace that the next connection would have. */
export function connectionNames(): { readonly address: string; readonly namespace: string } {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  return { address: connectionOptions.address ?? 'localhost:7233', namespace: namespace ?? 'default' };
}
