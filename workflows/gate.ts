// The gate of one environment: a gate report is sealed, people decide on it, and the answer is a permit.
import { CancellationScope, condition, sleep } from '@temporalio/workflow';
import type { EnvironmentOutcome } from '../src/core/activities.ts';
import type { GateAnswer, GateState } from '../src/core/gate-question.ts';
import type { VerifiedMessage, Permit, SealedGateReport, SignedStart } from '../src/core/messages.ts';
import { signersOf } from '../src/core/start-signers.ts';
import type { DeploymentInput, EnvironmentRun, Timing } from './contract.ts';
import { type Called, controlActivities } from './activities.ts';
import { type Asker, newAsker } from './ask-person.ts';
import { untilDone } from './persist.ts';

export interface Gate {
  readonly run: EnvironmentRun;
  readonly start: SignedStart;
  readonly asker: Asker;
  readonly timing: Timing | undefined;
  gateReport: SealedGateReport | null;
  number: number;
  approvals: VerifiedMessage[];
  attestations: VerifiedMessage[];
  rejected: string | null;
  /** Why people gave it up. */
  stopped: string | null;
  /** Runs from sealing; a voided gate report takes its clock along. */
  clock: CancellationScope | null;
  expired: boolean;
  /** The earlier environment, once its soak has passed; null again when a breach voided it. */
  before: EnvironmentOutcome | null;
  answer: GateAnswer;
  /** Grows with every change, so that the story asks again. */
  revision: number;
  /** Rejects that arrived and are not verified yet: the gate does not open while there is one. */
  rejecting: number;
  /** Whether its permit was handed on: what is signed from now on changes nothing here. */
  entered: boolean;
}

export type GateOutcome =
  | { readonly permit: Permit }
  | { readonly shut: 'rejected' | 'expired' | 'failed' | 'left'; readonly why: string };

export function newGate(run: EnvironmentRun, { start, timing }: DeploymentInput, show: Asker['show']): Gate {
  return {
    run,
    start,
    asker: newAsker(show, timing),
    timing,
    gateReport: null,
    number: 0,
    approvals: [],
    attestations: [],
    rejected: null,
    stopped: null,
    clock: null,
    expired: false,
    before: null,
    answer: { open: false, waiting: [] },
    revision: 0,
    rejecting: 0,
    entered: false,
  };
}

/** Voids gate report and approvals: what was signed no longer holds. */
export function voidGateReport(gate: Gate): void {
  gate.clock?.cancel();
  gate.gateReport = null;
  gate.approvals = [];
  gate.before = null;
  gate.revision += 1;
}

/**
 * Waits until the gate is open, rejected, expired, or until `leave` says that there is nothing to wait for.
 */
export async function passGate(
  gate: Gate,
  first: boolean,
  leave: () => string | null,
  told: (answer: GateAnswer) => void,
): Promise<GateOutcome> {
  try {
    for (;;) {
      const seen = gate.revision;
      const left = () => gate.revision !== seen || shutBy(gate, leave) !== null;
      if (!gate.gateReport && (first || gate.before)) await seal(gate, left);
      const what = `gate of ${gate.run.rollout.environment}`;
      const answer = await persist(gate, what, left, () =>
        controlActivities(what, gate.timing).judgeGate(stateOf(gate)),
      );
      if (answer) {
        gate.answer = answer;
        told(answer);
      }
      const shut = shutBy(gate, leave);
      if (shut) return shut;
      if (!answer) continue;
      // Judged on what has changed meanwhile: judged again, never opened.
      if (gate.answer.open && gate.revision === seen && gate.rejecting === 0)
        return { permit: permitOf(gate) };
      const again = () => gate.answer.open && gate.rejecting === 0;
      await condition(() => gate.revision !== seen || shutBy(gate, leave) !== null || again());
    }
  } finally {
    gate.clock?.cancel();
  }
}

/**
 * What decides at a gate is called until it has worked, or until it is asked for nothing; people may stop it.
 */
async function persist<T>(
  gate: Gate,
  what: string,
  left: () => boolean,
  call: () => Promise<Called<T>>,
): Promise<T | null> {
  const { environment } = gate.run.rollout;
  const value = await untilDone({ asker: gate.asker, environment, what, left, orElse: 'stop' }, call);
  if (value === null && !left()) gate.stopped = `${what} could not be decided; decided: stop`;
  return value;
}

function shutBy(gate: Gate, leave: () => string | null): GateOutcome | null {
  if (gate.stopped !== null) return { shut: 'failed', why: gate.stopped };
  if (gate.rejected !== null) return { shut: 'rejected', why: gate.rejected };
  const gone = leave();
  if (gone !== null) return { shut: 'left', why: gone };
  return gate.expired ? { shut: 'expired', why: 'nobody opened the gate in time' } : null;
}

async function seal(gate: Gate, left: () => boolean): Promise<void> {
  gate.number += 1;
  const { list, rollout } = gate.run;
  const outcome = gate.before;
  const before = outcome && {
    environment: outcome.environment,
    commit: list.commit,
    soaked: outcome.soak,
    receipts: outcome.receipts,
    ...(outcome.accepted && { accepted: outcome.accepted }),
    ...(outcome.statement && { statement: outcome.statement }),
  };
  const what = `seal gate report ${gate.number}`;
  const { start, number } = gate;
  const { deployment, list: listHash } = rollout;
  const answer = await persist(gate, what, left, () =>
    controlActivities(what, gate.timing).sealGateReport({
      deployment,
      list,
      listHash,
      start,
      number,
      before,
    }),
  );
  // A breach came while it was being sealed: what it says no longer holds.
  if (!answer || gate.before !== outcome) return;
  gate.gateReport = answer.sealed;
  if (answer.sealed) startClock(gate);
}

/** One timer from sealing to expiry, however many approvals come in between. */
function startClock(gate: Gate): void {
  const withinMs = gate.run.list.gate?.approved?.withinMs;
  if (withinMs === undefined) return;
  const clock = new CancellationScope({ cancellable: true });
  gate.clock = clock;
  void clock
    .run(() => sleep(withinMs, { summary: `gate report ${gate.number} expires` }))
    .then(
      () => (gate.expired = true),
      () => undefined,
    );
}

function stateOf(gate: Gate): GateState {
  return {
    list: gate.run.list,
    gateReport: gate.gateReport,
    requester: gate.start.person,
    requesters: signersOf(gate.start),
    approvals: gate.approvals.map(({ signed, roles }) => ({ person: signed.person, roles })),
    attestations: gate.attestations.map(({ signed, roles }) => ({
      id: String(signed.body['attestation']),
      person: signed.person,
      roles,
    })),
  };
}

function permitOf(gate: Gate): Permit {
  return {
    start: gate.start,
    environment: gate.run.rollout.environment,
    gateReport: gate.gateReport,
    approvals: gate.approvals.map(({ signed }) => signed),
    attestations: gate.attestations.map(({ signed }) => signed),
  };
}
