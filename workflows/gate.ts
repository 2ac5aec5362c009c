// The gate of one environment: a dossier is sealed, people decide on it, and the answer is a permit.
import { condition } from '@temporalio/workflow';
import type { EnvironmentOutcome, GateAnswer, GateState } from '../src/core/activities.ts';
import type { Permit, SealedDossier, Signed, StartBody } from '../src/core/messages.ts';
import type { EnvironmentRun } from './contract.ts';
import { controlActivities } from './proxies.ts';

export interface Gate {
  readonly run: EnvironmentRun;
  readonly start: Signed<StartBody>;
  dossier: SealedDossier | null;
  number: number;
  approvals: { readonly signed: Signed; readonly roles: readonly string[] }[];
  attestations: { readonly signed: Signed; readonly roles: readonly string[] }[];
  rejected: string | null;
  /** The earlier environment, once its soak has passed; null again when a breach voided it. */
  before: EnvironmentOutcome | null;
  answer: GateAnswer;
  /** Grows with every change, so that the story asks again. */
  changes: number;
}

export type GateEnding = { readonly permit: Permit } | { readonly shut: 'rejected' | 'expired' | 'left'; readonly why: string };

export function newGate(run: EnvironmentRun, start: Signed<StartBody>): Gate {
  return {
    run,
    start,
    dossier: null,
    number: 0,
    approvals: [],
    attestations: [],
    rejected: null,
    before: null,
    answer: { open: false, waiting: [] },
    changes: 0,
  };
}

/** Voids dossier and approvals: what was signed no longer holds. */
export function voidDossier(gate: Gate): void {
  gate.dossier = null;
  gate.approvals = [];
  gate.before = null;
  gate.changes += 1;
}

/** Waits until the gate is open, rejected, expired, or until `leave` says that there is nothing to wait for. */
export async function passGate(gate: Gate, first: boolean, leave: () => string | null, told: (answer: GateAnswer) => void): Promise<GateEnding> {
  const expiresMs = gate.run.list.gate?.approved?.expiresMs;
  for (;;) {
    const seen = gate.changes;
    if (!gate.dossier && (first || gate.before)) await seal(gate);
    gate.answer = await controlActivities(`gate of ${gate.run.rollout.environment}`).judgeGate(stateOf(gate));
    told(gate.answer);
    if (gate.answer.open) return { permit: permitOf(gate) };
    const stirred = () => gate.changes !== seen || gate.rejected !== null || leave() !== null;
    const inTime =
      expiresMs === undefined || !gate.dossier
        ? (await condition(stirred), true)
        : await condition(stirred, expiresMs, { summary: 'the dossier expires' });
    if (gate.rejected !== null) return { shut: 'rejected', why: gate.rejected };
    const gone = leave();
    if (gone !== null) return { shut: 'left', why: gone };
    if (!inTime) return { shut: 'expired', why: 'nobody opened the gate in time' };
  }
}

async function seal(gate: Gate): Promise<void> {
  gate.number += 1;
  const { list, rollout } = gate.run;
  const before = gate.before && {
    environment: gate.before.environment,
    commit: list.commit,
    soaked: gate.before.soak,
    receipts: gate.before.receipts,
  };
  const { sealed } = await controlActivities(`seal dossier ${gate.number}`).sealDossier({
    deployment: rollout.deployment,
    list,
    listHash: rollout.list,
    start: gate.start,
    number: gate.number,
    before,
  });
  gate.dossier = sealed;
}

function stateOf(gate: Gate): GateState {
  return {
    list: gate.run.list,
    dossier: gate.dossier,
    requester: gate.start.person,
    approvals: gate.approvals.map(({ signed, roles }) => ({ person: signed.person, roles })),
    attestations: gate.attestations.map(({ signed, roles }) => ({ id: String(signed.body['attestation']), person: signed.person, roles })),
  };
}

function permitOf(gate: Gate): Permit {
  return {
    start: gate.start,
    environment: gate.run.rollout.environment,
    dossier: gate.dossier,
    approvals: gate.approvals.map(({ signed }) => signed),
    attestations: gate.attestations.map(({ signed }) => signed),
  };
}
