// restart and its undo: the same verb, because a service always serves what `current` points to.
import { fail } from '../src/core/failures.ts';
import type { Outcome, UndoOutcome } from './as-step.ts';
import { servingCommit } from './release.ts';
import { restarterOf } from './restarters/restarter.ts';
import type { Work } from './work.ts';

export async function restart(work: Work): Promise<Outcome> {
  const { name, restarter, service } = serviceOf(work);
  return { verdict: 'pass', summary: `${name}: ${await restarter.restart(work, service)}` };
}

/** Undo of restart: the service serves what `current` points to now; where nothing served before, it is down again. */
export async function restartBack(work: Work): Promise<UndoOutcome> {
  const { name, restarter, service } = serviceOf(work);
  const nothing = (await servingCommit(work)) === undefined;
  return { done: true, summary: `${name}: ${await (nothing ? restarter.stop(work, service) : restarter.restart(work, service))}`, left: [] };
}

function serviceOf(work: Work) {
  const name = String(work.step.spec['service']);
  const service =
    work.list.environment.services.find((candidate) => candidate.name === name) ??
    fail('SERVICE_FAILED', `${work.list.environment.name} has no service ${name}`);
  return { name, service, restarter: restarterOf(service.tool) };
}
