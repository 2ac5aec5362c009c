// migrate: ledger and catalog read before and after; failed, partial and skipped-but-stamped states are found
// and named.
import { count } from '../../src/core/count.ts';
import type { MigrateSpec } from '../../src/core/plan/steps/migrate.ts';
import { fail } from '../../src/core/failures.ts';
import type { Snapshot } from '../../src/core/snapshot.ts';
import { backupSpecOf } from '../../src/core/backup-spec.ts';
import { asCopiedBy, compareSnapshots, describeDifference } from '../../src/core/snapshot.ts';
import { fenceGuard } from '../../src/io/fence.ts';
import type { TargetLock } from '../../src/io/target-lock.ts';
import { readCatalog } from '../database/read-database.ts';
import type { StepResult, UndoResult } from '../frame/receipt.ts';
import { migratorOf } from '../migrators/index.ts';
import { limitsBeforehand, refuseTransactions } from '../migrators/sql-file.ts';
import type { Work } from '../frame/step-context.ts';

/** Written by the rehearsal: the catalog as it is after `up`. */
export const REHEARSED_CATALOG = 'rehearsed-catalog.json';
const UNDO_LIMITS = { lockTimeoutMs: 50, giveUpAfterMs: 300_000, statementTimeoutMs: 3_600_000 };

/** `pending`: exactly the declared migrations are pending, or the run stops. */
export async function lookAtPending(work: Work): Promise<StepResult> {
  const migrations = work.list.migrations ?? fail('MIGRATION_MISMATCH', 'the plan declares no migrations');
  const migrator = migratorOf(migrations.tool);
  const { applied, pending, ledgerSays } = await migrator.status(work, work.url);
  const unexpected = pending.filter((name) => !migrations.pending.includes(name));
  const absent = migrations.pending.filter((name) => !pending.includes(name));
  const details = [
    ...unexpected.map((name) => `${name} is pending but not declared`),
    ...absent.map((name) =>
      applied.includes(name)
        ? `${name} is declared but already applied`
        : `${name} is declared but not in the release`,
    ),
  ];
  if (details.length > 0)
    fail('MIGRATION_MISMATCH', 'what is pending is not exactly what the plan declares', details);
  const notes: string[] = [];
  if (migrator.runsFiles)
    for (const file of await migrator.preview(work, pending)) {
      refuseTransactions(`${file.name}, up,`, file.up);
      refuseTransactions(`${file.name}, down,`, file.down ?? '');
      notes.push(...limitsBeforehand(file));
    }
  return {
    verdict: 'pass',
    summary: `${pending.length} pending exactly as declared, ${ledgerSays ?? `${applied.length} applied`}`,
    details: [...pending, ...notes],
    figures: { applied: applied.length, pending: pending.length },
  };
}

export async function migrate(work: Work, spec: MigrateSpec, lock: TargetLock): Promise<StepResult> {
  const migrations = work.list.migrations ?? fail('MIGRATION_MISMATCH', 'the plan declares no migrations');
  const migrator = migratorOf(migrations.tool);
  const before = await catalogBefore(work);
  const lines = await migrator.upgrade(work, work.url, migrations.pending, {
    ...spec,
    guard: fenceGuard(work.rollout, work.tag),
    recheck: () => lock.recheck(),
  });
  const { applied } = await migrator.status(work, work.url);
  const missing = migrations.pending.filter((name) => !applied.includes(name));
  if (missing.length > 0)
    fail('MIGRATION_MISMATCH', `after migrating, the ledger lacks ${missing.join(', ')}`);
  const after = await readCatalog(work);
  const odd = await notAsRehearsed(work, after);
  if (odd !== null && odd.length > 0)
    return { verdict: 'fail', summary: 'the ledger says applied, but the catalog differs', details: odd };
  return {
    verdict: 'pass',
    summary: `${count(migrations.pending.length, 'migration')} applied`,
    details: [...lines, ...(odd === null ? [notRehearsed(before, after)] : [])],
    figures: { applied: migrations.pending.length },
  };
}

/** Undo of migrate: back to the recorded revisions, by the release's own down files. */
export async function downgrade(work: Work): Promise<UndoResult> {
  const migrations = work.list.migrations;
  if (!migrations) return { done: true, summary: 'no migrations', differences: [] };
  const migrator = migratorOf(migrations.tool);
  const { applied } = await migrator.status(work, work.url);
  if (!migrations.pending.some((name) => applied.includes(name)))
    return { done: true, summary: 'none of the migrations is applied', differences: [] };
  const lines = await migrator.downgrade(work, work.url, migrations.pending, {
    ...UNDO_LIMITS,
    guard: fenceGuard(work.rollout, work.tag),
  });
  return { done: true, summary: lines.join('; '), differences: [] };
}

/**
 * The catalog before the first attempt: one that finished and whose answer was lost has changed it already.
 */
async function catalogBefore(work: Work): Promise<Snapshot> {
  const text = await work.world.permitStore.noteOnce(
    work.rollout,
    `catalog-before-${work.step.index}.json`,
    JSON.stringify(await readCatalog(work)),
  );
  return JSON.parse(text) as Snapshot;
}

/** Where a rehearsal ran, the catalog must be what it came to; null where none ran. */
async function notAsRehearsed(work: Work, after: Snapshot): Promise<readonly string[] | null> {
  const rehearsed = await work.world.permitStore.note(work.rollout, REHEARSED_CATALOG);
  if (rehearsed === undefined) return null;
  const expected: Snapshot = {
    catalog: JSON.parse(rehearsed) as Snapshot['catalog'],
    content: {},
    sequences: {},
  };
  const compared = asCopiedBy(backupSpecOf(work.list));
  return compareSnapshots(compared(expected), compared(after)).map(
    (difference) => `not as rehearsed: ${describeDifference(difference)}`,
  );
}

/** A right migration may change rows only, or nothing that a catalog shows: without a rehearsal nobody can tell. */
function notRehearsed(before: Snapshot, after: Snapshot): string {
  const changed = compareSnapshots(before, after).length;
  return changed === 0
    ? 'not compared with a rehearsal, which the plan skips; no object of the schema has changed'
    : `not compared with a rehearsal, which the plan skips; ${count(changed, 'object')} of the schema changed`;
}
