// What a migration tool does: six verbs, asked with the plan's options at hand (rule 11).
import type { MigratorKey, MigratorOptions } from '../../src/core/plan/migrators/index.ts';
import type { Work } from '../frame/step-context.ts';

export interface MigrationStatus {
  /** In the order of the tool's ledger. */
  readonly applied: readonly string[];
  /** In the order in which they would be applied. */
  readonly pending: readonly string[];
  /** Where the ledger says less than which are applied: what it says, for people. */
  readonly ledgerSays?: string;
}

export interface UpgradeOptions {
  readonly lockTimeoutMs: number;
  readonly giveUpAfterMs: number;
  readonly statementTimeoutMs: number;
  /** Asked in the transaction of each migration; empty on a scratch copy. */
  readonly guard?: string;
  /** Asked directly before each command. */
  readonly recheck?: () => Promise<void>;
  /** On a scratch copy: told the locks held at the end of each migration's transaction. */
  readonly onLocks?: (migration: string, locks: readonly HeldLock[], tookMs: number) => void;
}

export interface HeldLock {
  readonly relation: string;
  readonly mode: string;
}

export interface MigrationPreview {
  readonly name: string;
  readonly up: string;
  /** Null when there is no way down. */
  readonly down: string | null;
  /** Why it must not be applied. */
  readonly faults?: readonly string[];
  readonly notes?: readonly string[];
}

export interface Migrator {
  /** Its files are run as they stand, each in one transaction of ours. */
  readonly runsFiles?: true;
  /** What ledger and files say for the database at `url`. */
  status(work: Work, url: string): Promise<MigrationStatus>;
  /** SQL of exactly these migrations. */
  preview(work: Work, names: readonly string[]): Promise<readonly MigrationPreview[]>;
  /** Applies what of these is not in the ledger; returns one line for each. */
  upgrade(
    work: Work,
    url: string,
    names: readonly string[],
    options: UpgradeOptions,
  ): Promise<readonly string[]>;
  /** Takes back what of these is in the ledger, newest first. */
  downgrade(
    work: Work,
    url: string,
    names: readonly string[],
    options: UpgradeOptions,
  ): Promise<readonly string[]>;
  /**
   * Where the prepared migration of a forward fallback lies, outside the loaded ones, and where it is added;
   * below the checkout.
   */
  prepared(work: Work, name: string): readonly { readonly from: string; readonly to: string }[];
  /** Tables that the tool writes by itself with each migration. */
  ledgers(work: Work): readonly string[];
  /** Those of them in which rows stay that no way down removes; left out of comparisons after one. */
  leavesRows?(work: Work): readonly string[];
}

/** The options that the plan gives this tool; only its own adapter asks, which the plan has named. */
export const optionsFor = <Key extends MigratorKey>({ list }: Work): MigratorOptions[Key] =>
  (list.migrations?.options ?? {}) as MigratorOptions[Key];
