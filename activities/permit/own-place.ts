// Before anything is permitted: this worker stands where it stood, with the permit store that it had.
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fail } from '../../src/core/failures.ts';
import { writeOnce } from '../../src/io/files.ts';
import type { WorkerContext } from '../frame/step-context.ts';

/**
 * Artifacts in a directory: a second host would not find them (rule 9). An older copy of the permit store does not
 * know what was permitted since. @throws StepFailure SECOND_HOST, PERMIT_STORE_BEHIND.
 */
export async function refuseOtherPlace({ settings, counter }: WorkerContext): Promise<void> {
  const { permitStore, environment } = settings;
  const first = await writeOnce(join(permitStore, 'host'), hostname());
  if (first !== hostname())
    fail('SECOND_HOST', `artifacts of ${environment} lie on ${first}, this is ${hostname()}`);
  await refuseOldStore({ settings, counter });
}

/**
 * Nothing goes forward by a store that has forgotten something; what is undone is undone by what there is. @throws
 * StepFailure PERMIT_STORE_BEHIND.
 */
export async function refuseOldStore({
  settings,
  counter,
}: Pick<WorkerContext, 'settings' | 'counter'>): Promise<void> {
  const behind = await counter.fault();
  if (behind !== null)
    fail('PERMIT_STORE_BEHIND', `the permit store ${settings.permitStore} is not used: ${behind}`);
}
