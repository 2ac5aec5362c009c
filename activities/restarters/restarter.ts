// The family of restarters: how a service is made to serve what `current` points to.
import type { Service } from '../../src/core/plan/plan.ts';
import type { Work } from '../work.ts';
import { compose } from './compose.ts';
import { processRestarter } from './process.ts';
import { supervisor } from './supervisor.ts';
import { systemd } from './systemd.ts';

export interface Restarter {
  /** Programs that must be on the worker's path. */
  readonly tools: readonly string[];
  /** Ends the running service and starts it anew; done when it is up, or throws SERVICE_FAILED. */
  restart(work: Work, service: Service): Promise<string>;
  /** Ends it and leaves it down. */
  stop(work: Work, service: Service): Promise<string>;
}

const restarters: Readonly<Record<string, Restarter>> = {
  process: processRestarter,
  systemd,
  supervisor,
  compose,
};

export const restarterNames = (): readonly string[] => Object.keys(restarters);

export function restarterOf(tool: string): Restarter {
  const found = Object.hasOwn(restarters, tool) ? restarters[tool] : undefined;
  if (!found) throw new RangeError(`no restarter ${tool}`);
  return found;
}
