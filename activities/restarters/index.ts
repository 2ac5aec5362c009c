// The family of restarters: how a service is made to serve what serves now.
import type { Service } from '../../src/core/plan/plan.ts';
import type { RestarterKey } from '../../src/core/plan/restarters/index.ts';
import type { Work } from '../frame/step-context.ts';
import { compose } from './compose.ts';
import { processRestarter } from './process.ts';
import type { Restarted, Restarter } from './restarter.ts';
import { supervisor } from './supervisor.ts';
import { systemd } from './systemd.ts';

const restarters: { readonly [Key in RestarterKey]: Restarter<Key> } = {
  process: processRestarter,
  systemd,
  supervisor,
  compose,
};

export const restarterNames = (): readonly string[] => Object.keys(restarters);

/** Programs that this restarter needs on the worker's path; none where there is no such restarter. */
export const toolsOf = (tool: string): readonly string[] => found(tool)?.tools ?? [];

/** The service under its restarter. */
export function restarterOf({ name, tool, options }: Service) {
  const restarter = found(tool);
  if (!restarter) throw new RangeError(`no restarter ${tool}`);
  // Its options are of the tool's form: the worker has read them from the plan itself.
  const service = { name, options } as unknown as Restarted<RestarterKey>;
  return {
    restart: (work: Work) => restarter.restart(work, service),
    stop: (work: Work) => restarter.stop(work, service),
  };
}

const found = (tool: string): Restarter<RestarterKey> | undefined =>
  Object.hasOwn(restarters, tool) ? (restarters[tool as RestarterKey] as Restarter<RestarterKey>) : undefined;
