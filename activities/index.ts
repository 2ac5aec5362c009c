// The list: which activity does which step, undo and decision. One line each.
import type { ControlActivities, EnvironmentActivities } from '../src/core/activities.ts';
import type { StepKind } from '../src/core/step-list.ts';
import { asActivity } from './frame/as-activity.ts';
import {
  databaseStep,
  declaredStep,
  forwardActivity,
  plainStep,
  stepActivity,
  type StepRun,
  type StepRuns,
} from './frame/run-step.ts';
import {
  commandUndo,
  plainUndo,
  replacingUndo,
  stepUndo,
  undoActivity,
  type UndoRuns,
} from './frame/run-undo.ts';
import { beforeDeploying } from './permit/before-deploying.ts';
import { backup } from './backup/backup.ts';
import { baseline } from './observe/baseline.ts';
import { checkData } from './data/check-data.ts';
import { check } from './checks/check.ts';
import { compareRollback } from './rollback/compare-rollback.ts';
import { countNewer } from './rollback/count-newer.ts';
import * as decisions from './control/decisions.ts';
import { closeEvidence } from './control/evidence.ts';
import type { ControlContext } from './control/world.ts';
import { closeRollout } from './permit/close-rollout.ts';
import { openRollout } from './permit/open-rollout.ts';
import { fixData, undoFix } from './data/fix-data.ts';
import { sqlFile, undoSqlFile } from './data/sql-file.ts';
import { flows } from './checks/flows.ts';
import { forwardFix, undoForward } from './migrate/forward.ts';
import { closeSite, endMaintenance, enterMaintenance, leaveMaintenance } from './release/maintenance.ts';
import { downgrade, lookAtPending, migrate } from './migrate/migrate.ts';
import { preflight } from './checks/preflight.ts';
import { preview } from './preview/preview.ts';
import { forbiddenWrites } from './data/forbidden-writes.ts';
import { release, revertSwitch, switchRelease } from './release/release.ts';
import { restart, revertRestart, startServices, stopServices } from './release/restart.ts';
import { restore } from './rollback/restore.ts';
import { reopenTarget } from './rollback/swap-names.ts';
import { run, undoRun } from './release/run.ts';
import { sift, verify } from './permit/verify.ts';
import type { WorkerContext } from './frame/step-context.ts';

const steps: StepRuns = {
  preflight: plainStep(preflight),
  release: plainStep(release),
  pending: plainStep(lookAtPending),
  baseline: plainStep(baseline),
  enterMaintenance: plainStep(enterMaintenance),
  leaveMaintenance: plainStep(leaveMaintenance),
  backup: plainStep(backup),
  checkData: plainStep(checkData),
  fixData: databaseStep(fixData),
  preview: plainStep(preview),
  migrate: databaseStep(migrate),
  check: declaredStep(check),
  forbiddenWrites: plainStep(forbiddenWrites),
  run: declaredStep(run),
  sqlFile: databaseStep(sqlFile),
  switchRelease: plainStep(switchRelease),
  restart: plainStep(restart),
  flows: plainStep(flows),
};

const undos: UndoRuns = {
  undoFix: stepUndo(undoFix),
  downgrade: stepUndo(downgrade),
  revertSwitch: stepUndo(revertSwitch),
  revertRestart: stepUndo(revertRestart),
  undoRun: commandUndo(undoRun),
  undoSqlFile: stepUndo(undoSqlFile),
  undoForward: stepUndo(undoForward),
  // An attempt that was killed in the middle of the swap has left the database closed.
  restore: replacingUndo(reopenTarget, restore),
  endMaintenance: plainUndo(endMaintenance),
  closeSite: plainUndo(closeSite),
  stopServices: plainUndo(stopServices),
  startServices: plainUndo(startServices),
};

/** Each member of a list, turned into its activity under its own name. */
const each = <Key extends string, From, To>(
  list: { readonly [K in Key]: From },
  turn: (member: From) => To,
): Record<Key, To> =>
  Object.fromEntries(Object.entries<From>(list).map(([key, member]) => [key, turn(member)])) as Record<
    Key,
    To
  >;

/** All activities of one environment's queue. */
export function environmentActivities(world: WorkerContext): EnvironmentActivities {
  return {
    ...each(steps as Record<StepKind, StepRun<unknown>>, (run) => stepActivity(world, run)),
    ...each(undos, (run) => undoActivity(world, run)),
    openRollout: (input) => asActivity(() => openRollout(world, input)),
    beforeDeploying: (input) => asActivity(() => beforeDeploying(world, input)),
    verify: (input) => asActivity(() => verify(world, input)),
    sift: (input) => asActivity(() => sift(world, input)),
    forwardFix: forwardActivity(world, forwardFix),
    compareRollback: (input) => asActivity(() => compareRollback(world, input)),
    countNewer: (input) => asActivity(() => countNewer(world, input)),
    closeRollout: (input) => asActivity(() => closeRollout(world, input)),
  };
}

/** All activities of the control queue. */
export function controlActivities(world: ControlContext): ControlActivities {
  return {
    decide: decisions.decide,
    judgeFallback: decisions.judgeFallback,
    planForward: decisions.planForward,
    planRollback: decisions.planRollback,
    judgeRollback: decisions.judgeRollback,
    sealGateReport: (question) => decisions.sealGateReport(world, question),
    judgeGate: decisions.judgeGate,
    closeEvidence: (input) => asActivity(() => closeEvidence(world, input)),
  };
}
