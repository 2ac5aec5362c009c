// A restore that dan, the dba, has signed: what a fallback of that name asks for.
import { createPrivateKey } from 'node:crypto';
import type { UndoReceipt } from '../../src/core/receipts.ts';
import { createKey, signMessage } from '../../src/io/trust.ts';
import type { Hands } from './hands.ts';
import { here } from './signing.ts';

const dan = createKey();
export const RESTORES = ', restore: { approved: { roles: [dba] }, loses: writes-since-backup }';
export const people = [{ name: 'dan', key: dan.publicText, roles: ['dba'] }];

export const restoredBy = (hands: Hands, fallback = 'restore') =>
  hands.call<UndoReceipt>('restore', {
    rollout: hands.rollout,
    step: hands.step('backup'),
    args: {},
    approvals: [
      signMessage(createPrivateKey(dan.privatePem), 'decide', 'dan', {
        deployment: hands.rollout.deployment,
        environment: 'here',
        ...here(),
        nonce: 'n',
        expires: new Date(Date.now() + 60_000).toISOString(),
        decision: fallback,
      }),
    ],
  });
