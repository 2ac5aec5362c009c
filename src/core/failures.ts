// The table of failure codes (rule 5): the only reasons for which a step throws.
// docs/failures.md is compared with it by a test.

export interface FailureKind {
  readonly meaning: string;
  /** Whether Temporal may run the same activity again by itself. */
  readonly retryable: boolean;
  /** What the person at two in the morning should do next. */
  readonly remedy: string;
}

export const failures = {
  PERMIT_REFUSED: {
    meaning: 'The permit does not open this environment: a signature, role, expiry, hash or fact is wrong.',
    retryable: false,
    remedy: 'Read which part was refused; have it signed again by the right person, or start anew.',
  },
  NOT_PERMITTED: {
    meaning: 'An activity was scheduled that does not belong to the kept permit and list of this rollout.',
    retryable: false,
    remedy:
      'Nothing was done. Somebody scheduled it by hand or the control worker is not ours: look at who started the workflow.',
  },
  GUARDRAIL_NOT_MET: {
    meaning: "The plan asks for less than the environment's guardrails demands.",
    retryable: false,
    remedy:
      'Make the plan at least as strict as the guardrails (soakgate validate --environment-file F shows all of it).',
  },
  OUTSIDE_WINDOW: {
    meaning: "The environment's window is not open, or notice was not given long enough before it.",
    retryable: false,
    remedy:
      'Nothing was done. Start again so that the gate opens in time; a deployment that waits at its gate enters by itself when the window opens.',
  },
  ROLLOUT_OPEN: {
    meaning: 'Another rollout of this service or database is not closed.',
    retryable: false,
    remedy: 'Finish it, or run: soakgate recover <deployment> for one that was terminated.',
  },
  SECOND_HOST: {
    meaning: 'A worker on another host polls this environment although artifacts are a directory.',
    retryable: false,
    remedy: 'Run all workers of one environment on one host, or use a shared artifact store.',
  },
  BACKUP_MISSING: {
    meaning: 'A step that changes the database was reached without a proven backup.',
    retryable: false,
    remedy: 'Put the backup step before it; look at the receipt of the backup.',
  },
  BACKUP_FAILED: {
    meaning: 'pg_dump did not write a complete dump.',
    retryable: false,
    remedy: 'Read the tail of pg_dump in the receipt; nothing in the target was changed.',
  },
  RESTORE_FAILED: {
    meaning: 'The dump could not be restored into a scratch database.',
    retryable: false,
    remedy: 'Read the tail of pg_restore; check disk space, extensions and the dump itself.',
  },
  TARGET_BUSY: {
    meaning: 'The lock on the target is held by another attempt that does not give way.',
    retryable: true,
    remedy: 'Look for a session named sg:* in pg_stat_activity; it is retried by itself.',
  },
  FENCED: {
    meaning: 'This attempt is no longer the one that may write: a later one has taken over.',
    retryable: false,
    remedy: 'Nothing to do: the later attempt goes on.',
  },
  TARGET_UNREACHABLE: {
    meaning: 'The database or the application could not be reached.',
    retryable: true,
    remedy: 'It is retried by itself; check the address, the network and the credentials of the worker.',
  },
  LOCK_NOT_GIVEN: {
    meaning: 'The lock for a migration was not given within the time allowed.',
    retryable: false,
    remedy: 'The blockers are named in the details; end them or choose a quieter time.',
  },
  MIGRATION_FAILED: {
    meaning: 'A migration failed; its own transaction was rolled back by PostgreSQL.',
    retryable: false,
    remedy:
      'Read the SQLSTATE and statement in the details; earlier migrations of this run are undone by the rollback.',
  },
  MIGRATION_MISMATCH: {
    meaning: 'What is pending is not exactly what the plan declares, or ledger and catalog disagree.',
    retryable: false,
    remedy: 'Compare the lists in the details; declare what is really pending or repair the ledger.',
  },
  SESSION_UNKNOWN: {
    meaning:
      "The release's own tool opens its session on another database, under another name or with other limits than it was given.",
    retryable: false,
    remedy:
      'Nothing was done. Let its settings take the database from the address that the plan hands out, and leave application_name and options to libpq.',
  },
  RELEASE_FAILED: {
    meaning: 'The commit could not be checked out or its environment could not be built.',
    retryable: false,
    remedy: 'Read the tail of the command; check repository, commit and lock file.',
  },
  FILE_CHANGED: {
    meaning: 'A file of the plan at the pinned commit is not the one that was reviewed.',
    retryable: false,
    remedy: 'Start again from the commit that was meant.',
  },
  SERVICE_FAILED: {
    meaning: 'A service did not come up, or did not go down.',
    retryable: false,
    remedy: "Read the tail of the service's log in the details.",
  },
  SECRET_MISSING: {
    meaning: 'A referenced secret is not there on the worker.',
    retryable: false,
    remedy: 'Set the environment variable or file that the message names, on the worker.',
  },
  INPUT_UNREADABLE: {
    meaning:
      'A workflow was started with something that is no input of it, or under a type that nobody knows.',
    retryable: false,
    remedy: 'Nothing was done. Start deployments with: soakgate start <plan>.',
  },
  STEP_CRASHED: {
    meaning: 'A step ended in an error that Soakgate did not foresee.',
    retryable: false,
    remedy: 'The message and its place are in the log of the worker; please report it.',
  },
} as const satisfies Record<string, FailureKind>;

export type FailureCode = keyof typeof failures;

/** A failure as data; the activities turn it into Temporal's ApplicationFailure. */
export class StepFailure extends Error {
  override readonly name = 'StepFailure';
  readonly code: FailureCode;
  readonly details: readonly string[];
  constructor(code: FailureCode, message: string, details: readonly string[] = []) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** Shorthand that reads well at the place where a step gives up. */
export function fail(code: FailureCode, message: string, details: readonly string[] = []): never {
  throw new StepFailure(code, message, details);
}
