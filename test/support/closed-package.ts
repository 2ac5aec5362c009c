// A package that is closed without any deployment: what the control worker is given, and where it writes.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPrivateKey, randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { closeEvidence } from '../../activities/control/evidence.ts';
import type { CloseEvidenceInput } from '../../src/core/activities.ts';
import type { Signed, VerifiedMessage } from '../../src/core/messages.ts';
import { type Artifacts, openArtifacts } from '../../src/io/artifacts.ts';
import { createKey, signMessage } from '../../src/io/trust.ts';
import { here } from './signing.ts';

export const dan = createKey();
export const control = createKey();

/** A message of dan about staging, with a good signature. */
export const said = (message: 'approve' | 'decide', body: Record<string, string> = {}): Signed =>
  signMessage(createPrivateKey(dan.privatePem), message, 'dan', {
    deployment: 'd',
    environment: 'staging',
    ...here(),
    nonce: randomUUID(),
    expires: '2099-01-01T00:00:00Z',
    ...body,
  });

export const counted = (signed: Signed): VerifiedMessage => ({
  signed,
  roles: ['dba'],
  at: '2026-01-01T00:00:00.000Z',
});

export interface Store {
  readonly artifacts: Artifacts;
  /** Of the package. */
  readonly folder: string;
}

export async function newStore(): Promise<Store> {
  const root = await mkdtemp(join(tmpdir(), 'sg-store-'));
  return { artifacts: openArtifacts(root), folder: join(root, 'evidence/d') };
}

/** Closes the package of the deployment `d`, as its workflow asks for it. */
export function closed({ artifacts }: Store, input: Partial<CloseEvidenceInput> = {}): Promise<unknown> {
  const environment = new MockActivityEnvironment(
    { workflowExecution: { workflowId: 'deployment/d', runId: 'one' } },
    // A refusal is an answer here.
    { logger: new DefaultLogger('ERROR') },
  );
  const planText = 'soakgate: 1\n';
  const whole: CloseEvidenceInput = {
    deployment: 'd',
    outcome: 'failed',
    start: {
      message: 'start',
      person: 'ann',
      signature: '',
      body: {
        deployment: 'd',
        namespace: 'default',
        nonce: 'n',
        expires: '2099-01-01T00:00:00Z',
        planText,
        planFile: 'soakgate.yaml',
        plan: 'p',
        commit: 'c',
        files: {},
        pace: null,
        lists: { staging: 'l' },
      },
    },
    workflows: [],
    environments: [
      { environment: 'staging', outcome: 'failed', receipts: [], undos: [], differences: [], soak: null },
    ],
    approvals: [],
    ...input,
  };
  return environment.run(() =>
    closeEvidence({ key: createPrivateKey(control.privatePem), artifacts }, whole),
  );
}
