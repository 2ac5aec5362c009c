// One SQL file and its row in a ledger, in one transaction of psql: fenced, with short locks, tried again.
import { readFile } from 'node:fs/promises';
import { fail } from '../../src/core/failures.ts';
import { ownLimits } from '../../src/core/own-limits.ts';
import { notInOneTransaction } from '../../src/core/one-transaction.ts';
import { formatDuration } from '../../src/core/plan/units.ts';
import { markRanged } from '../../src/io/fence.ts';
import { tail } from '../../src/io/redact.ts';
import type { Work } from '../frame/step-context.ts';
import { HELD_LOCKS_JSON, type MigrationFailure, tryForLocks } from './locks.ts';
import type { HeldLock, MigrationPreview, UpgradeOptions } from './migrator.ts';
import type { Watched } from './watched.ts';

const LOCKS_MARK = 'soakgate-locks:';
/** Every lock of a transaction is held to its end, so the last statement sees them all. */
const HELD_LOCKS = `select '${LOCKS_MARK}' || (${HELD_LOCKS_JSON})`;

/** What opens a subtransaction, as far as a file's text shows. */
const SUBTRANSACTIONS = /\b(?:savepoint|exception)\b/iu;

const HOLD = 'the limits of the plan hold';

export interface StampedFile {
  /** What it is called in messages. */
  readonly name: string;
  /** Its path on this machine. */
  readonly file: string;
  /** The statement that notes it in the ledger, in the same transaction. */
  readonly stamp: string;
}

/** @throws StepFailure SQL_NOT_ONE_TRANSACTION that names file, line and word, before anything is run. */
export function refuseTransactions(name: string, text: string): void {
  const found = notInOneTransaction(text);
  if (found.length > 0)
    fail('SQL_NOT_ONE_TRANSACTION', `${name} does not run in one transaction: ${found[0]}`, found);
}

/** Told before anything is run: which limits a migration sets for itself, and that they do not hold. */
export const limitsBeforehand = ({ name, up, down }: MigrationPreview): readonly string[] =>
  [ownLimits(name, up, HOLD), ownLimits(`${name}, down,`, down ?? '', HOLD)].flat();

/**
 * Runs it until its locks are given; a line for people, and one more where it names limits.
 * @throws StepFailure as `tryForLocks` and `refuseTransactions` do.
 */
export async function applyFile(
  work: Work,
  url: string,
  stamped: StampedFile,
  settings: UpgradeOptions,
): Promise<readonly string[]> {
  const text = await readFile(stamped.file, 'utf8');
  refuseTransactions(stamped.name, text);
  const { tookMs, waited } = await tryForLocks(work, url, stamped.name, settings, (watch) =>
    runFile(work, url, stamped, { ...settings, watch, ranged: SUBTRANSACTIONS.test(text) }),
  );
  const holds =
    `no lock is waited for longer than ${formatDuration(settings.lockTimeoutMs)} and no statement runs ` +
    `longer than ${formatDuration(settings.statementTimeoutMs)}`;
  return [`${stamped.name}: ${tookMs} ms${waited}`, ...ownLimits(stamped.name, text, holds)];
}

interface Run extends Pick<UpgradeOptions, 'guard' | 'onLocks'> {
  readonly watch: Watched;
  /** It may have subtransactions. */
  readonly ranged: boolean;
}

async function runFile(
  work: Work,
  url: string,
  { name, file, stamp }: StampedFile,
  { watch, ranged, guard, onLocks }: Run,
): Promise<MigrationFailure | null> {
  const report = onLocks ? ['-c', HELD_LOCKS] : [];
  const argv = [
    'psql',
    '-X',
    '-q',
    '-t',
    '-A',
    '-1',
    '-v',
    'ON_ERROR_STOP=1',
    '-v',
    'VERBOSITY=verbose',
    ...[watch.enter, ...(guard ? [guard] : [])].flatMap((text) => ['-c', text]),
    '-f',
    file,
    // A file may leave another role, search path or limits behind (every file that pg_dump makes does).
    ...['reset session authorization', 'reset role', 'reset search_path', watch.enter, stamp].flatMap(
      (text) => ['-c', text],
    ),
    ...report,
    ...(guard ? ['-c', guard, ...(ranged ? ['-c', markRanged(work.rollout)] : [])] : []),
  ];
  const result = await work.runTool(argv, { url });
  if (result.exitCode === 0) {
    const said = result.stdout.split('\n').findLast((line) => line.startsWith(LOCKS_MARK));
    if (said) onLocks?.(name, JSON.parse(said.slice(LOCKS_MARK.length)) as HeldLock[], result.tookMs);
    return null;
  }
  const state =
    /(?:ERROR|FATAL):\s+([0-9A-Z]{5}):/u.exec(result.stderr)?.[1] ??
    (result.killedBy ? `none (ended by ${result.killedBy})` : 'unknown');
  return {
    state: await watch.stateOf(state),
    lines: tail(result.stderr, 4_000)
      .split('\n')
      .filter((line) => line.length > 0),
  };
}
