// What the form cannot say: rules over the trusted plan. A plan that breaks one is refused when it is read,
// not when it has run for a week. Each rule is one function; paths are those of the file.
import type { Remark } from './complaint.ts';
import {
  gateOpens,
  matrixDecides,
  rolesCanBeCalled,
  fallbacksCanBeTaken,
  rollbackIsKnown,
} from './lint-ways.ts';
import { backupFirst } from './lint-order.ts';
import {
  addressesAreKnown,
  baselinesAreTaken,
  thresholdsAgree,
  afterwardsCanLook,
  monitorsGiveMetrics,
  observationJudges,
} from './lint-observe.ts';
import type { Plan } from './plan.ts';
import { stepKinds } from './steps/index.ts';

export type PlanRule = (plan: Plan) => readonly Remark[];

/** All rules: those that hold for every plan, and those of each kind of step. */
export const planRules: readonly PlanRule[] = [
  backupFirst,
  ...Object.values(stepKinds).flatMap(({ rules }): readonly PlanRule[] => rules),
  addressesAreKnown,
  observationJudges,
  afterwardsCanLook,
  monitorsGiveMetrics,
  thresholdsAgree,
  baselinesAreTaken,
  gateOpens,
  rolesCanBeCalled,
  fallbacksCanBeTaken,
  rollbackIsKnown,
  matrixDecides,
];

/** Every remark of every rule. */
export function lintPlan(plan: Plan): readonly Remark[] {
  return planRules.flatMap((rule) => rule(plan));
}
