// What the deployment does with one message: gate messages here, all others go to the rollout that they concern.
import { condition, getExternalWorkflowHandle } from '@temporalio/workflow';
import type { Signed } from '../src/core/messages.ts';
import { rolloutWorkflowId } from '../src/core/names.ts';
import type { DeploymentState } from './deployment-state.ts';
import { commandSignal } from './rollout-inbox.ts';
import type { Gate } from './gate.ts';
import type { Answer } from './messages.ts';
import { environmentActivities } from './activities.ts';

const RECORDED_REFUSALS = 50;

export async function answerMessage(state: DeploymentState, signed: Signed): Promise<Answer> {
  const { environment, nonce } = signed.body;
  const gate = state.gates.get(environment);
  if (!gate) return { accepted: false, text: `refused: this deployment has no environment ${environment}` };
  const forRollout = !['approve', 'reject', 'attest'].includes(signed.message);
  if (forRollout && state.open.has(environment)) {
    const told = await getExternalWorkflowHandle(rolloutWorkflowId(gate.run.rollout.service, environment))
      .signal(commandSignal, { is: 'message', signed })
      .then(
        () => true,
        () => false,
      );
    // Terminated from outside: it takes no messages until it has been recovered.
    if (!told)
      return {
        accepted: false,
        text: `refused: the rollout in ${environment} was ended from outside; soakgate recover ${signed.body.deployment}`,
      };
    await condition(() => state.answered.has(nonce) || state.results.has(environment));
    return state.answered.get(nonce) ?? { accepted: false, text: 'the rollout ended before it could answer' };
  }
  const answer = await atGate(state, gate, signed, forRollout);
  if (
    !answer.accepted &&
    state.progress.notes.filter((note) => note.startsWith('refused')).length < RECORDED_REFUSALS
  )
    state.progress.notes.push(`refused ${signed.message} by ${signed.person}: ${answer.text}`);
  return answer;
}

async function atGate(
  state: DeploymentState,
  gate: Gate,
  signed: Signed,
  forRollout: boolean,
): Promise<Answer> {
  const { environment } = signed.body;
  const { start } = state.input;
  const verdict = await environmentActivities(
    environment,
    `${signed.message} by ${signed.person}`,
    15_000,
  ).verify({
    deployment: start.body.deployment,
    environment,
    signed,
    expect: {
      plan: start.body.plan,
      list: gate.run.rollout.list,
      commit: gate.run.list.commit,
      requester: start.person,
      ...(gate.gateReport && { gateReport: gate.gateReport.hash }),
    },
  });
  if (!verdict.accepted) return { accepted: false, text: `refused: ${verdict.reason}` };
  if (forRollout) return affect(state, signed);
  // A breach voided it while the signature was being verified.
  if (signed.message === 'approve' && signed.body['gateReport'] !== gate.gateReport?.hash)
    return { accepted: false, text: 'refused: it approves another gate report than the one that stands now' };
  if (signed.message === 'reject')
    gate.rejected = `rejected by ${signed.person}${typeof signed.body['reason'] === 'string' ? `: ${signed.body['reason']}` : ''}`;
  else {
    const pile = signed.message === 'approve' ? gate.approvals : gate.attestations;
    const rest = pile.filter(
      (other) =>
        other.signed.person !== signed.person ||
        (signed.message === 'attest' && other.signed.body['attestation'] !== signed.body['attestation']),
    );
    pile.splice(0, pile.length, ...rest, { signed, roles: verdict.roles, at: verdict.at ?? null });
  }
  gate.revision += 1;
  const wanted = gate.run.list.gate?.approved?.roles.length ?? 0;
  return {
    accepted: true,
    text:
      signed.message === 'approve'
        ? `counted, ${gate.approvals.length} of ${wanted}`
        : signed.message === 'attest'
          ? 'attested'
          : 'rejected',
  };
}

/** Only an abort means something while no rollout of that environment is open. */
function affect(state: DeploymentState, signed: Signed): Answer {
  if (signed.message !== 'abort')
    return { accepted: false, text: `refused: no rollout is open in ${signed.body.environment}` };
  if (state.results.has(signed.body.environment))
    return { accepted: false, text: `refused: the rollout in ${signed.body.environment} has ended` };
  state.aborted = `aborted by ${signed.person}`;
  for (const gate of state.gates.values()) gate.revision += 1;
  return { accepted: true, text: 'aborted' };
}
