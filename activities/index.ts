// The list: which activity does which step, undo and decision. One line each.
import type { ControlActivities, EnvironmentActivities } from '../src/core/activities.ts';
import { asActivity, beside, forwards, looks, mayWrite, restores, undoes, writes } from './as-step.ts';
import { beforeDeploying } from './before-deploying.ts';
import { backup } from './backup.ts';
import { baseline } from './baseline.ts';
import { checkData } from './check-data.ts';
import { check } from './checks/check.ts';
import { compareRollback } from './compare-rollback.ts';
import * as decisions from './control/decisions.ts';
import { closeEvidence } from './control/evidence.ts';
import type { ControlContext } from './control/world.ts';
import { closeRollout } from './close-rollout.ts';
import { openRollout } from './open-rollout.ts';
import { fixData, undoFix } from './fix-data.ts';
import { flows } from './flows.ts';
import { forwardFix, undoForward } from './forward.ts';
import { closeSite, endMaintenance, enterMaintenance, leaveMaintenance } from './maintenance.ts';
import { downgrade, lookAtPending, migrate } from './migrate.ts';
import { preflight } from './preflight.ts';
import { preview } from './preview.ts';
import { forbiddenWrites } from './forbidden-writes.ts';
import { release, revertSwitch, switchRelease } from './release.ts';
import { restart, revertRestart, startServices, stopServices } from './restart.ts';
import { restore } from './restore.ts';
import { run, undoRun } from './run.ts';
import { verify } from './verify.ts';
import type { WorkerContext } from './work.ts';

/** All activities of one environment's queue. */
export function environmentActivities(world: WorkerContext): EnvironmentActivities {
  return {
    openRollout: (input) => asActivity(() => openRollout(world, input)),
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
    judgeFallback: decisions.judgeFallback,
    planForward: decisions.planForward,
    planRollback: decisions.planRollback,
    judgeRollback: decisions.judgeRollback,
    sealGateReport: (question) => decisions.sealGateReport(world, question),
    judgeGate: decisions.judgeGate,
    closeEvidence: (input) => asActivity(() => closeEvidence(world, input)),
  };
}
