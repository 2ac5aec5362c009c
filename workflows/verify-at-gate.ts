// Asks an environment whether a message counts at its gate; and, as the permit is about to be handed on, whether what
// has counted still does.
import { patched } from '@temporalio/workflow';
import type { MessageVerdict } from '../src/core/message-verdict.ts';
import type { Signed } from '../src/core/messages.ts';
import { signersOf } from '../src/core/start-signers.ts';
import { type Called, environmentActivities } from './activities.ts';
import { questionOf } from './ask-person.ts';
import { type DeploymentState, recordRefusal } from './deployment-state.ts';
import type { Gate } from './gate.ts';

/** The environment's own verdict on one message. */
export function verifyAtGate(
  { input: { start, timing } }: DeploymentState,
  gate: Gate,
  signed: Signed,
): Promise<Called<MessageVerdict>> {
  const { environment } = signed.body;
  const asked = gate.run.list.gate;
  return environmentActivities(environment, `${signed.message} by ${signed.person}`, timing, 'verify').verify(
    {
      deployment: start.body.deployment,
      environment,
      signed,
      expect: {
        plan: start.body.plan,
        list: gate.run.rollout.list,
        commit: gate.run.list.commit,
        requester: start.person,
        requesters: signersOf(start),
        ...(gate.gateReport && { gateReport: gate.gateReport.hash, sealed: gate.gateReport }),
        ...questionOf(gate.asker),
        ...(asked && { gate: { roles: asked.approved?.roles ?? [], attested: asked.attested } }),
      },
    },
  );
}

/**
 * Drops what expired while others were waited for, or whose person was taken out of the environment's file: the gate
 * asks for it again, instead of handing on a permit that would be refused. True where anything has changed.
 */
export async function dropUncounted(state: DeploymentState, gate: Gate): Promise<boolean> {
  if (gate.approvals.length + gate.attestations.length === 0) return false;
  if (!patched('counted-again-at-entry')) return false;
  const seen = gate.revision;
  for (const by of [...gate.approvals, ...gate.attestations]) {
    const verdict = await verifyAtGate(state, gate, by.signed);
    const pile = by.signed.message === 'approve' ? gate.approvals : gate.attestations;
    // Nobody knows: the environment asks for itself when it takes the permit.
    if ('failed' in verdict || verdict.ok.accepted || !pile.includes(by)) continue;
    pile.splice(pile.indexOf(by), 1);
    gate.revision += 1;
    recordRefusal(state, by.signed, `no longer counted: ${verdict.ok.reason}`, true);
  }
  return gate.revision !== seen;
}
