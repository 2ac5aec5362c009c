// Decisions as recorded facts (rule 6): the activities call core, the workflow only follows.
import type {
  DecideInput,
  FallbackQuestion,
  ForwardPlan,
  RollbackOutcome,
  RollbackQuestion,
  RollbackVerdict,
} from '../../src/core/activities.ts';
import type { GateAnswer, GateQuestion, GateState } from '../../src/core/gate-question.ts';
import { gateReportOf, judgeGate as judge } from '../../src/core/gate.ts';
import { quorumMet } from '../../src/core/quorum.ts';
import { type Decision, decide as decideByMatrix, peopleDecide, rollbacksOf } from '../../src/core/matrix.ts';
import { byDefault, losesWrites, rolesOf } from '../../src/core/plan/fallbacks/facts.ts';
import type { GateReport, SealedGateReport } from '../../src/core/messages.ts';
import { orderRollback } from '../../src/core/rollback.ts';
import type { StackEntry, StepList } from '../../src/core/step-list.ts';
import { forwardEntry, stillShut } from '../../src/core/undo.ts';
import type { ControlContext } from './world.ts';
import { sealGateReport as seal } from '../../src/io/trust.ts';

/** Rows that people must decide are asked of people, whatever the matrix says. */
export async function decide({ list, trouble, receipt }: DecideInput): Promise<Decision> {
  const step = 'step' in trouble ? list.steps[trouble.index] : undefined;
  return (step && receipt && peopleDecide(step, receipt)) ?? decideByMatrix(list, trouble);
}

/** What people must still sign before a fallback is walked, because it loses something. */
export async function judgeFallback({
  list,
  fallback,
  approvals,
}: FallbackQuestion): Promise<{ missing: readonly string[] }> {
  const way = list.fallbacks[fallback];
  if (!way || !losesWrites(way)) return { missing: [] };
  const people = approvals.map(({ person, roles }) => ({ name: person, roles }));
  return { missing: quorumMet({ each: rolesOf(way) }, people).missing };
}

/** Null where the plan has no migrate step under which a forward fix could run. */
export async function planForward({
  list,
  fallback,
}: {
  readonly list: StepList;
  readonly fallback: string;
}): Promise<ForwardPlan | null> {
  const step = list.steps.find(({ kind }) => kind === 'migrate');
  return step ? { step, entry: forwardEntry(step, fallback) } : null;
}

/** What remains after a rollback, and what the matrix offers instead when something does. */
export async function judgeRollback(input: RollbackOutcome): Promise<RollbackVerdict> {
  const { list, stopped, undos, comparison } = input;
  // Whichever ways people chose after each other: what is still shut is never called restored.
  const differences = [...(stopped ?? comparison?.differences ?? []), ...stillShut(undos, list)];
  const name = input.fallback ?? byDefault(list.fallbacks);
  if (differences.length === 0 || name === undefined) return { differences, fallbacks: [] };
  const decision = decideByMatrix(list, { fallback: name, is: 'fail' });
  const words = decision.do === 'ask' ? decision.ask : decision.do === 'fallback' ? [decision.name] : [];
  const rollbacks = rollbacksOf(list);
  return { differences, fallbacks: words.filter((word) => word !== name && rollbacks.includes(word)) };
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
