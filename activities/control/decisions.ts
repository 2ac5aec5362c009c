// Decisions as recorded facts (rule 6): the activities call core, the workflow only follows.
import type {
  DecideInput,
  GateAnswer,
  GateQuestion,
  GateState,
  RollbackQuestion,
} from '../../src/core/activities.ts';
import { gateReportOf, judgeGate as judge } from '../../src/core/gate.ts';
import { type Decision, decide as decideByMatrix } from '../../src/core/matrix.ts';
import type { GateReport, SealedGateReport } from '../../src/core/messages.ts';
import { orderRollback } from '../../src/core/rollback.ts';
import type { StackEntry } from '../../src/core/step-list.ts';
import type { ControlContext } from './world.ts';
import { sealGateReport as seal } from '../../src/io/trust.ts';

export async function decide({ list, trouble }: DecideInput): Promise<Decision> {
  return decideByMatrix(list, trouble);
}

export async function planRollback({
  list,
  stack,
  passed,
  fallback,
}: RollbackQuestion): Promise<readonly StackEntry[]> {
  const backup = list.steps.find((step) => step.kind === 'backup') ?? null;
  return orderRollback({
    kind: list.kind,
    stack,
    passed,
    fallback: (fallback !== null && list.fallbacks[fallback]) || null,
    backup,
    shut: list.environment.rollback,
  });
}

/** Seals only when every sealed fact holds; otherwise the gate report says what is missing. */
export async function sealGateReport(
  world: ControlContext,
  question: GateQuestion,
): Promise<{ sealed: SealedGateReport | null; gateReport: GateReport }> {
  const gateReport = gateReportOf(question);
  const holds = Object.values(gateReport.facts).every((fact) => fact.holds);
  return { gateReport, sealed: holds ? seal(world.key, gateReport) : null };
}

export async function judgeGate(state: GateState): Promise<GateAnswer> {
  return judge(state);
}
