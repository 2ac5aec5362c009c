// What the deployment does with one message: gate messages here, all others go to the rollout that they
// concern.
import { condition, getExternalWorkflowHandle } from '@temporalio/workflow';
import type { VerifiedMessage, Signed } from '../src/core/messages.ts';
import { rolloutWorkflowId } from '../src/core/ids.ts';
import { quorumMet } from '../src/core/quorum.ts';
import { refuse } from '../src/core/refused.ts';
import { answerQuestion, answerWaiting, refused } from './ask-person.ts';
import { type DeploymentState, recordRefusal } from './deployment-state.ts';
import type { Gate } from './gate.ts';
import type { Answer, Judged } from './messages.ts';
import { commandSignal } from './rollout-inbox.ts';
import { verifyAtGate } from './verify-at-gate.ts';

const AT_GATE: readonly string[] = ['approve', 'reject', 'attest'];

/** A reject stops the gate as it comes in, though others stand in front of it; `answerMessage` judges it. */
export function noteArrival(state: DeploymentState, { message, body }: Signed): void {
  const gate = message === 'reject' ? state.gates.get(body.environment) : undefined;
  if (gate) gate.rejecting += 1;
}

/** What was sifted out is answered already; it holds up no gate. */
export function dropMessage(state: DeploymentState, signed: Signed, why: string): void {
  const gate = signed.message === 'reject' ? state.gates.get(signed.body.environment) : undefined;
  if (gate) gate.rejecting -= 1;
  state.progress.dropped = (state.progress.dropped ?? 0) + 1;
  recordRefusal(state, signed, why, false);
}

export async function answerMessage(state: DeploymentState, signed: Signed): Promise<Answer> {
  const { environment } = signed.body;
  const gate = state.gates.get(environment);
  if (!gate) {
    const none = refused(`this deployment has no environment ${environment}`);
    refuse(state.refusals, signed, none.text, false);
    return none;
  }
  if (!AT_GATE.includes(signed.message) && state.open.has(environment)) {
    const { accepted, text, known } = await passOn(state, gate, signed);
    if (!accepted) refuse(state.refusals, signed, text, known === true);
    return { accepted, text };
  }
  const { accepted, text, known } = await atGate(state, gate, signed).finally(() => {
    if (signed.message === 'reject') gate.rejecting -= 1;
  });
  if (!accepted) recordRefusal(state, signed, text, known === true);
  return { accepted, text };
}

async function passOn(state: DeploymentState, gate: Gate, signed: Signed): Promise<Judged> {
  const { environment, nonce, deployment } = signed.body;
  const { service } = gate.run.rollout;
  const told = await getExternalWorkflowHandle(rolloutWorkflowId(service, environment))
    .signal(commandSignal, { is: 'message', signed })
    .then(
      () => true,
      () => false,
    );
  // Ended from outside: it takes no messages until it has been recovered.
  if (!told)
    return refused(`the rollout in ${environment} was ended from outside; soakgate recover ${deployment}`);
  await condition(() => state.answered.has(nonce) || state.results.has(environment));
  return state.answered.get(nonce) ?? { accepted: false, text: 'the rollout ended before it could answer' };
}

async function atGate(state: DeploymentState, gate: Gate, signed: Signed): Promise<Judged> {
  const verdict = await verifyAtGate(state, gate, signed);
  // What cannot be verified does not count.
  if ('failed' in verdict) return refused(verdict.failed.text);
  if (!verdict.ok.accepted) return refused(verdict.ok.reason);
  if (verdict.ok.waiting !== undefined) return answerWaiting(gate.asker, signed, verdict.ok.waiting);
  const by: VerifiedMessage = { signed, roles: verdict.ok.roles, at: verdict.ok.at ?? null };
  if (AT_GATE.includes(signed.message)) return { ...count(gate, by), known: true };
  const answer =
    signed.message === 'decide' && gate.asker.question
      ? answerQuestion(gate.asker, by)
      : affect(state, signed);
  return { ...answer, known: true };
}

function count(gate: Gate, by: VerifiedMessage): Answer {
  const { signed } = by;
  if (gate.entered) return refused(tooLate(gate, signed));
  // A breach voided it while the signature was being verified.
  if (signed.message === 'approve' && signed.body['gateReport'] !== gate.gateReport?.hash)
    return refused('it approves another gate report than the one that stands now');
  gate.revision += 1;
  if (signed.message === 'reject') {
    const reason = typeof signed.body['reason'] === 'string' ? `: ${signed.body['reason']}` : '';
    gate.rejected = `rejected by ${signed.person}${reason}`;
    return { accepted: true, text: 'rejected' };
  }
  const pile = signed.message === 'approve' ? gate.approvals : gate.attestations;
  const rest = pile.filter(
    (other) =>
      other.signed.person !== signed.person ||
      (signed.message === 'attest' && other.signed.body['attestation'] !== signed.body['attestation']),
  );
  pile.splice(0, pile.length, ...rest, by);
  if (signed.message === 'attest') return { accepted: true, text: 'attested' };
  // Two people of one role fill one place.
  const each = gate.run.list.gate?.approved?.roles ?? [];
  const people = gate.approvals.map(({ signed: { person }, roles }) => ({ name: person, roles }));
  const { missing } = quorumMet({ each }, people);
  return { accepted: true, text: `counted, ${each.length - missing.length} of ${each.length}` };
}

/** The permit was handed on: who wants to stop the rollout now says so to the rollout. */
function tooLate({ run }: Gate, { message }: Signed): string {
  const { deployment, environment } = run.rollout;
  const opened = `the gate of ${environment} has opened already`;
  return message === 'reject'
    ? `${opened}; to stop and undo the rollout: soakgate abort ${deployment} ${environment}`
    : `${opened}; nothing waits for this`;
}

/** Only an abort means something while no rollout of that environment is open. */
function affect(state: DeploymentState, signed: Signed): Answer {
  const { environment } = signed.body;
  if (signed.message !== 'abort') return refused(`no rollout is open in ${environment}`);
  if (state.results.has(environment)) return refused(`the rollout in ${environment} has ended`);
  state.aborted = `aborted by ${signed.person}`;
  for (const gate of state.gates.values()) gate.revision += 1;
  return { accepted: true, text: 'aborted' };
}
