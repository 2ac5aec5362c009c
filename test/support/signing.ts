// What every message of a test says about itself, and a worker that has read its file once and whose permit
// store nobody counts.
import type { WorkerContext } from '../../activities/frame/step-context.ts';

/** The namespace of every test's server, and the moment of the call. */
export const here = (): { readonly namespace: string; readonly signedAt: string } => ({
  namespace: 'default',
  signedAt: new Date().toISOString(),
});

export const readOnce: Pick<WorkerContext, 'namespace' | 'fileFault' | 'fileVersion' | 'counter'> = {
  namespace: 'default',
  fileFault: null,
  fileVersion: { sha256: '0'.repeat(64), readAt: '2026-01-01T00:00:00.000Z' },
  counter: { count: async () => undefined, fault: async () => null, accept: async () => undefined },
};
