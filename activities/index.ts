// The list: which activity does which step, undo and decision. One line each.
import type { ControlActivities, EnvironmentActivities } from '../src/core/activities.ts';
import { asActivity, beside, forwards, looks, mayWrite, restores, undoes, writes } from './frame/run-step.ts';
import { beforeDeploying } from './permit/before-deploying.ts';
import { backup } from './backup/backup.ts';
import { baseline } from './observe/baseline.ts';
import { checkData } from './data/check-data.ts';
import { check } from './checks/check.ts';
import { compareRollback } from './rollback/compare-rollback.ts';
import * as decisions from './control/decisions.ts';
import { closeEvidence, recordEvidence } from './control/evidence.ts';
import type { ControlContext } from './control/world.ts';
import { closeRollout } from './permit/close-rollout.ts';
import { enter } from './permit/enter.ts';
import { fixData, undoFix } from './data/fix-data.ts';
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
import { run, undoRun } from './release/run.ts';
import { verify } from './permit/verify.ts';
import type { WorkerContext } from './frame/step-context.ts';

/** All activities of one environment's queue. */
export function environmentActivities(world: WorkerContext): EnvironmentActivities {
  return {
    enter: (input) => asActivity(() => enter(world, input)),
    beforeDeploying: (input) => asActivity(() => beforeDeploying(world, input)),
    verify: (input) => asActivity(() => verify(world, input)),
    preflight: looks(world, preflight),
    release: looks(world, release),
    pending: looks(world, lookAtPending),
    baseline: looks(world, baseline),
    enterMaintenance: looks(world, enterMaintenance),
    leaveMaintenance: looks(world, leaveMaintenance),
    backup: looks(world, backup),
    checkData: looks(world, checkData),
    fixData: writes(world, fixData),
    preview: looks(world, preview),
    migrate: writes(world, migrate),
    check: mayWrite(world, check),
    forbiddenWrites: looks(world, forbiddenWrites),
    run: mayWrite(world, run),
    switchRelease: looks(world, switchRelease),
    restart: looks(world, restart),
    flows: looks(world, flows),
    undoFix: undoes(world, undoFix),
    downgrade: undoes(world, downgrade),
    revertSwitch: undoes(world, revertSwitch),
    revertRestart: undoes(world, revertRestart),
    undoRun: undoes(world, undoRun),
    endMaintenance: beside(world, endMaintenance),
    closeSite: beside(world, closeSite),
    stopServices: beside(world, stopServices),
    startServices: beside(world, startServices),
    restore: restores(world, restore),
    forwardFix: forwards(world, forwardFix),
    undoForward: undoes(world, undoForward),
    compareRollback: (input) => asActivity(() => compareRollback(world, input)),
    closeRollout: (input) => asActivity(() => closeRollout(world, input)),
  };
}

/** All activities of the control queue. */
export function controlActivities(world: ControlContext): ControlActivities {
  return {
    decide: decisions.decide,
    planRollback: decisions.planRollback,
    sealGateReport: (question) => decisions.sealGateReport(world, question),
    judgeGate: decisions.judgeGate,
    recordEvidence: (fact) => asActivity(() => recordEvidence(world, fact)),
    closeEvidence: (input) => asActivity(() => closeEvidence(world, input)),
  };
}
