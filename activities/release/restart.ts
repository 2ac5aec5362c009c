// restart and its undo: the same verb, because a service always serves the release that runs.
import type { RestartSpec } from '../../src/core/plan/steps/restart.ts';
import { specOf } from '../../src/core/specs.ts';
import type { UndoInput } from '../../src/core/activities.ts';
import { fail } from '../../src/core/failures.ts';
import type { StepResult, UndoResult } from '../frame/receipt.ts';
import { restarterOf } from '../restarters/index.ts';
import { runtimeOf } from '../runtimes/index.ts';
import type { Work } from '../frame/step-context.ts';

export async function restart(work: Work, spec: RestartSpec): Promise<StepResult> {
  const { name, restarter } = serviceOf(work, spec.service);
  return { verdict: 'pass', summary: `${name}: ${await restarter.restart(work)}` };
}

/**
 * Undo of restart: the service serves the release that runs now; where nothing served before, it is down
 * again.
 */
export async function revertRestart(work: Work): Promise<UndoResult> {
  const { name, restarter } = serviceOf(work, specOf(work.step, 'restart')?.service);
  const nothing = (await runtimeOf(work).running(work)) === undefined;
  return {
    done: true,
    summary: `${name}: ${await (nothing ? restarter.stop(work) : restarter.restart(work))}`,
    differences: [],
  };
}

/** Before the database rolls back: these services are down. */
export async function stopServices(work: Work, { args }: UndoInput): Promise<UndoResult> {
  return inTurn(work, args, async ({ restarter }) => restarter.stop(work));
}

/** After it: those that no other line has started again. */
export async function startServices(work: Work, { args }: UndoInput): Promise<UndoResult> {
  return inTurn(work, args, async ({ restarter }) => restarter.restart(work));
}

async function inTurn(
  work: Work,
  args: UndoInput['args'],
  act: (found: ReturnType<typeof serviceOf>) => Promise<string>,
): Promise<UndoResult> {
  const said: string[] = [];
  for (const name of (args?.['services'] ?? []) as readonly string[])
    said.push(`${name}: ${await act(serviceOf(work, name))}`);
  return { done: true, summary: said.join('; '), differences: [] };
}

function serviceOf(work: Work, named: unknown) {
  const name = String(named);
  const service =
    work.list.environment.services.find((candidate) => candidate.name === name) ??
    fail('SERVICE_FAILED', `${work.list.environment.name} has no service ${name}`);
  return { name, restarter: restarterOf(service) };
}
