// A forward fix: one prepared, reviewed migration more, which lies outside the loaded ones and is added when
// the fallback is taken.
import { count } from '../../src/core/count.ts';
import { cp, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ForwardInput, UndoInput } from '../../src/core/activities.ts';
import { fail } from '../../src/core/failures.ts';
import { scratchDatabase } from '../../src/core/ids.ts';
import { backupSpecOf } from '../../src/core/backup-spec.ts';
import { asCopiedBy, compareSnapshots, describeDifference, type Snapshot } from '../../src/core/snapshot.ts';
import { fenceGuard } from '../../src/io/fence.ts';
import type { TargetLock } from '../../src/io/target-lock.ts';
import { withDatabase } from '../../src/io/postgres.ts';
import { readCatalog } from '../database/read-database.ts';
import type { StepResult, UndoResult } from '../frame/receipt.ts';
import { migratorOf } from '../migrators/index.ts';
import type { Migrator, UpgradeOptions } from '../migrators/migrator.ts';
import { copyTarget, dropScratch } from '../backup/scratch.ts';
import type { Work } from '../frame/step-context.ts';

const LIMITS = { lockTimeoutMs: 50, giveUpAfterMs: 300_000, statementTimeoutMs: 3_600_000 };
const REHEARSAL_LIMITS = { lockTimeoutMs: 60_000, giveUpAfterMs: 0, statementTimeoutMs: 3_600_000 };

/**
 * Adds the prepared migration, rehearses it there and back on a copy, applies it, and compares with the
 * rehearsal.
 */
export async function forwardFix(
  work: Work,
  hold: TargetLock,
  { fallback }: ForwardInput,
): Promise<StepResult> {
  const { name, migrator } = await prepared(work, fallback);
  const { applied, pending } = await migrator.status(work, work.url);
  if (applied.includes(name))
    return { verdict: 'pass', summary: `${name} was applied by an earlier attempt`, figures: { applied: 1 } };
  const others = pending.filter((other) => other !== name);
  if (others.length > 0 || !pending.includes(name))
    fail(
      'MIGRATION_MISMATCH',
      `${name} is not the only one that is pending`,
      others.length > 0 ? others : [`${name} was added and is not pending`],
    );
  const faults = await faultsOf(work, migrator, name);
  if (faults.length > 0)
    return {
      verdict: 'fail',
      summary: `${name} must not be applied`,
      details: faults.map((fault) => `${name} ${fault}`),
    };
  const rehearsal = await rehearse(work, migrator, name);
  if ('faults' in rehearsal)
    return {
      verdict: 'fail',
      summary: `${name} fails its rehearsal on a copy`,
      details: rehearsal.faults,
    };
  const options: UpgradeOptions = {
    ...LIMITS,
    guard: fenceGuard(work.rollout, work.tag),
    recheck: () => hold.recheck(),
  };
  const lines = await migrator.upgrade(work, work.url, [name], options);
  const compared = asCopiedBy(backupSpecOf(work.list));
  const odd = compareSnapshots(compared(rehearsal.after), compared(await readCatalog(work))).map(
    (difference) => `not as rehearsed: ${describeDifference(difference)}`,
  );
  if (odd.length > 0)
    return { verdict: 'fail', summary: 'the catalog differs from the rehearsal', details: odd };
  return {
    verdict: 'pass',
    summary: `${name} applied; ${count(rehearsal.changes.length, 'object')} changed`,
    details: [...lines, ...rehearsal.changes],
    figures: { applied: 1 },
  };
}

/** Why it must not be applied, as its files alone say. */
async function faultsOf(work: Work, migrator: Migrator, name: string): Promise<readonly string[]> {
  return (await migrator.preview(work, [name])).flatMap(({ down, faults = [] }) => [
    ...(down === null ? ['has no down migration'] : []),
    ...faults,
  ]);
}

/** Undo of a forward fix: the same migration reversed, as far as it is in force. */
export async function undoForward(work: Work, { args }: UndoInput): Promise<UndoResult> {
  const { name, migrator } = await prepared(work, String(args?.['fallback']));
  const { applied } = await migrator.status(work, work.url);
  if (!applied.includes(name)) return { done: true, summary: `${name} is not applied`, differences: [] };
  const lines = await migrator.downgrade(work, work.url, [name], {
    ...LIMITS,
    guard: fenceGuard(work.rollout, work.tag),
  });
  return { done: true, summary: lines.join('; '), differences: [] };
}

/** The files lie in the release as it was reviewed; adding them twice changes nothing. */
async function prepared(work: Work, fallback: string): Promise<{ name: string; migrator: Migrator }> {
  const found = Object.hasOwn(work.list.fallbacks, fallback) ? work.list.fallbacks[fallback] : undefined;
  if (!found || !('forward' in found)) fail('NOT_PERMITTED', `the plan has no forward fallback ${fallback}`);
  const migrator = migratorOf(work.list.migrations?.tool ?? '');
  for (const { from, to } of migrator.prepared(work, found.forward)) {
    await mkdir(dirname(join(work.checkout, to)), { recursive: true });
    await cp(join(work.checkout, from), join(work.checkout, to)).catch(() =>
      fail('MIGRATION_MISMATCH', `the release has no ${from}, which fallback ${fallback} needs`),
    );
  }
  return { name: found.forward, migrator };
}

/**
 * Up must change something (an empty shell is only stamped), and down must lead back to exactly what was
 * there.
 */
async function rehearse(
  work: Work,
  migrator: Migrator,
  name: string,
): Promise<
  { readonly faults: readonly string[] } | { readonly after: Snapshot; readonly changes: readonly string[] }
> {
  const database = scratchDatabase(work.rollout);
  const url = withDatabase(work.url, database);
  work.progress('rehearsing the forward fix on a copy');
  await copyTarget(work, database);
  try {
    const before = await readCatalog(work, { url });
    await migrator.upgrade(work, url, [name], REHEARSAL_LIMITS);
    const after = await readCatalog(work, { url });
    const changes = compareSnapshots(before, after).map(describeDifference);
    if (changes.length === 0) return { faults: [`${name} changes nothing: it would only be stamped`] };
    await migrator.downgrade(work, url, [name], REHEARSAL_LIMITS);
    const left = compareSnapshots(before, await readCatalog(work, { url }));
    if (left.length > 0)
      return {
        faults: left.map((difference) => `its way down does not restore: ${describeDifference(difference)}`),
      };
    return { after, changes };
  } finally {
    await dropScratch(work, database);
  }
}
