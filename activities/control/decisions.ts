// Decisions as recorded facts (rule 6): the activities call core, the workflow only follows.
import type { DecideInput, GateAnswer, GateQuestion, GateState, WayBackQuestion } from '../../src/core/activities.ts';
import { dossierOf, judgeGate as judge } from '../../src/core/gate.ts';
import { type Decision, decide as decideByMatrix } from '../../src/core/matrix.ts';
import type { Dossier, SealedDossier } from '../../src/core/messages.ts';
import { type StackEntry, wayBack } from '../../src/core/way-back.ts';
import type { ControlWorld } from './world.ts';
import { sealDossier as seal } from '../../src/io/trust.ts';

export async function decide({ list, trouble }: DecideInput): Promise<Decision> {
  return decideByMatrix(list, trouble);
}

export async function planWayBack({ list, stack, passed, route }: WayBackQuestion): Promise<readonly StackEntry[]> {
  const backup = list.steps.find((step) => step.kind === 'backup') ?? null;
  return wayBack({ kind: list.kind, stack, passed, route: (route !== null && list.routes[route]) || null, backup, shut: list.environment.wayBack });
}

/** Seals only when every sealed fact holds; otherwise the dossier says what is missing. */
export async function sealDossier(world: ControlWorld, question: GateQuestion): Promise<{ sealed: SealedDossier | null; dossier: Dossier }> {
  const dossier = dossierOf(question);
  const holds = Object.values(dossier.facts).every((fact) => fact.holds);
  return { dossier, sealed: holds ? seal(world.key, dossier) : null };
}

export async function judgeGate(state: GateState): Promise<GateAnswer> {
  return judge(state);
}
