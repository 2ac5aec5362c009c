// `backup.keep`: once a rollout is closed, the dumps whose time is over are removed. The environment asks its
// own permit store and its own clock.
import type { Step } from '../../src/core/step-list.ts';
import type { PermittedRollout } from '../../src/io/permit-store.ts';
import { PROOF_NOTE } from '../frame/under-lock.ts';
import type { Proven } from './backup.ts';
import { evidenceFolder } from '../frame/artifact-paths.ts';
import type { WorkerContext } from '../frame/step-context.ts';

const DAY_MS = 86_400_000;

interface Backup {
  readonly of: PermittedRollout;
  readonly dump: string;
  readonly provenAt: number;
  readonly keepMs: number;
  readonly open: boolean;
}

/** Removes what is over, and says so in the receipts of the rollout that has just been closed. */
export async function removeOldBackups(world: WorkerContext, closed: PermittedRollout): Promise<void> {
  const started = Date.now();
  const removed: string[] = [];
  for (const backup of await overdue(world, closed.rollout.service, started)) {
    await world.artifacts.remove(backup.dump);
    removed.push(
      `${backup.of.rollout.deployment}: ${days(started - backup.provenAt)} old, kept for ` +
        `${days(backup.keepMs)}`,
    );
  }
  if (removed.length === 0) return;
  const receipt = {
    step: 'remove old backups',
    kind: 'removeBackups',
    verdict: 'pass',
    summary:
      `${removed.length} ${removed.length === 1 ? 'backup' : 'backups'} removed, older than ` +
      `${removed.length === 1 ? 'its plan keeps it' : 'their plans keep them'}`,
    details: removed.slice(0, 10),
    figures: { removed: removed.length },
    startedAt: new Date(started).toISOString(),
    tookMs: Date.now() - started,
  };
  const { deployment, environment } = closed.rollout;
  await world.artifacts.append(
    `${evidenceFolder(deployment)}/logs/${environment}/receipts.jsonl`,
    JSON.stringify(receipt),
  );
}

/** Never the newest proven one, which is what a person would restore; never one of a rollout that is open. */
async function overdue(world: WorkerContext, service: string, now: number): Promise<readonly Backup[]> {
  const found = await Promise.all(
    (await world.permitStore.all(service)).map((kept) => backupOf(world, kept)),
  );
  const backups = found
    .flatMap((backup) => backup ?? [])
    .toSorted((one, other) => other.provenAt - one.provenAt);
  return backups.slice(1).filter(({ open, provenAt, keepMs }) => !open && now - provenAt > keepMs);
}

/** The proven backup of a rollout that is still in the store. */
async function backupOf(world: WorkerContext, kept: PermittedRollout): Promise<Backup | undefined> {
  const note = await world.permitStore.note(kept.rollout, PROOF_NOTE);
  const step = kept.list.steps.find(({ kind }) => kind === 'backup');
  if (note === undefined || !step) return undefined;
  const { dump, at } = JSON.parse(note) as Proven;
  if (!(await world.artifacts.has(dump.name))) return undefined;
  return {
    of: kept,
    dump: dump.name,
    provenAt: Date.parse(at),
    keepMs: keepMsOf(step),
    open: (await world.permitStore.closed(kept.rollout)) === undefined,
  };
}

const keepMsOf = ({ spec }: Step): number => (spec as { readonly keepMs: number }).keepMs;

function days(ms: number): string {
  const whole = Math.floor(ms / DAY_MS);
  return `${whole} ${whole === 1 ? 'day' : 'days'}`;
}
