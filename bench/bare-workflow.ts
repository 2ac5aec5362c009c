// Bare Temporal: so many no-op activities one after the other. The guardrails that Soakgate is measured
// against.
import { proxyActivities } from '@temporalio/workflow';

const { noop } = proxyActivities<{ noop: (input: unknown) => Promise<unknown> }>({
  startToCloseTimeout: '1m',
  heartbeatTimeout: '15s',
});

export async function bare(input: { readonly steps: number; readonly payload: unknown }): Promise<void> {
  for (let at = 0; at < input.steps; at += 1) await noop(input.payload);
}
