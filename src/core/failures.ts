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
    remedy: 'Read which part was refused; have it signed again by the right person, or start again.',
  },
  NOT_PERMITTED: {
    meaning:
      'Somebody scheduled an activity that does not belong to the permit and step list of this rollout.',
    retryable: false,
    remedy:
      'Nothing was done. Check who started the workflow: it was scheduled manually, or the control ' +
      'worker is not yours.',
  },
  SERVICE_UNKNOWN: {
    meaning: "The environment's file does not have the service that the plan deploys.",
    retryable: false,
    remedy:
      "Nothing was done. Add the service under services in the environment's file, restart its worker, and " +
      'retry.',
  },
  GUARDRAIL_NOT_MET: {
    meaning: 'The plan does not meet the guardrails of the environment.',
    retryable: false,
    remedy:
      'Make the plan at least as strict as the guardrails (soakgate validate --environment-file F ' +
      'shows all of it).',
  },
  OUTSIDE_WINDOW: {
    meaning: 'The window of the environment is closed, or the notice period was too short.',
    retryable: false,
    remedy:
      'Nothing was done. Start again so that the gate opens in time; a deployment that waits at its ' +
      'gate starts automatically when the window opens.',
  },
  ROLLOUT_OPEN: {
    meaning: 'Another rollout of this service or database is not closed.',
    retryable: false,
    remedy: 'Finish it, or run: soakgate recover <deployment> for one that was terminated.',
  },
  PERMIT_STORE_BEHIND: {
    meaning: 'The permit store is an older copy, or another folder, than the one that was used last.',
    retryable: false,
    remedy:
      'Put the newest copy back and decide retry; or, where there is none, read in docs/operations.md what it has ' +
      'forgotten and decide accept-permit-store.',
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
    remedy: 'Read the output of pg_dump in the receipt; nothing in the target was changed.',
  },
  RESTORE_FAILED: {
    meaning: 'The dump could not be restored into a scratch database.',
    retryable: false,
    remedy: 'Read the output of pg_restore; check disk space, extensions and the dump itself.',
  },
  TARGET_BUSY: {
    meaning: 'Another attempt holds the lock on the target and does not release it.',
    retryable: true,
    remedy: 'Soakgate retries. Look for a session named sg:* in pg_stat_activity.',
  },
  FENCED: {
    meaning: 'A later attempt has taken over; this one may no longer write.',
    retryable: false,
    remedy: 'Nothing: the later attempt continues.',
  },
  TARGET_UNREACHABLE: {
    meaning: 'The database or the application cannot be reached.',
    retryable: true,
    remedy: 'Soakgate retries. Check the address, the network and the credentials of the worker.',
  },
  SCHEMA_UNREADABLE: {
    meaning: 'pg_dump could not read the schema of a database, so that it cannot be compared.',
    retryable: false,
    remedy:
      "Read pg_dump's words in the details: a right is missing, or an object cannot be dumped; then retry.",
  },
  TABLE_UNKNOWN: {
    meaning: "A table that the plan or a recorded step names is not on the database's search path.",
    retryable: false,
    remedy: 'Write it with its schema (schema.table), or put the schema on the search path; then retry.',
  },
  RECORD_CHANGED: {
    meaning: 'The recorded state of the database is not the file that the backup has written.',
    retryable: false,
    remedy:
      'Nothing was compared with it. Put the kept file back under the same name and retry; or compare by ' +
      'hand with the proven dump.',
  },
  IMAGES_CHANGED: {
    meaning: 'The before-images of a data fix are not the file that the fix has written.',
    retryable: false,
    remedy:
      'Nothing was put back from them. Put the kept file back under the same name and retry, or restore the ' +
      'proven backup.',
  },
  ARTIFACT_REFUSED: {
    meaning: 'A name among the artifacts leads elsewhere: it is a link, a pipe, or no name of an artifact.',
    retryable: false,
    remedy:
      'Nothing was read or written there. Find out who put it into the artifact store, remove it, and retry.',
  },
  LOCK_NOT_GIVEN: {
    meaning: 'Lock timeout: the migration did not get its lock in the allowed time.',
    retryable: false,
    remedy: 'The details name the blocking sessions; end them or choose a quieter time.',
  },
  MIGRATION_FAILED: {
    meaning: 'A migration failed; its own transaction was rolled back by PostgreSQL.',
    retryable: false,
    remedy:
      'Read the SQLSTATE and statement in the details; the rollback undoes the earlier migrations of ' +
      'this run.',
  },
  SQL_NOT_ONE_TRANSACTION: {
    meaning: 'A SQL file holds something that does not run in the one transaction that it is given.',
    retryable: false,
    remedy:
      'Nothing of it was run. Take BEGIN, COMMIT and commands of psql out of the file; what PostgreSQL runs ' +
      'outside transactions only (CREATE INDEX CONCURRENTLY) belongs in a step run.',
  },
  MIGRATION_MISMATCH: {
    meaning: 'The pending migrations differ from the plan, or the ledger disagrees with the catalog.',
    retryable: false,
    remedy:
      'Compare the lists in the details; declare the migrations that are really pending, or repair ' +
      'the ledger.',
  },
  SESSION_UNKNOWN: {
    meaning: "The release's own tool ignores the database, session name or limits that Soakgate gave it.",
    retryable: false,
    remedy:
      'Nothing was done. Let its settings use the database address from the plan, and do not set ' +
      'application_name and options there.',
  },
  RELEASE_FAILED: {
    meaning: 'The commit could not be checked out or its environment could not be built.',
    retryable: false,
    remedy: 'Read the output of the command; check repository, commit and lock file.',
  },
  FILE_CHANGED: {
    meaning: 'A file that the plan names differs from the reviewed file.',
    retryable: false,
    remedy: 'Start again from the reviewed commit.',
  },
  SERVICE_FAILED: {
    meaning: 'A service did not start, or did not stop.',
    retryable: false,
    remedy: "Read the service's log in the details.",
  },
  SECRET_MISSING: {
    meaning: 'A referenced secret is missing on the worker.',
    retryable: false,
    remedy: 'Set the environment variable or file that the message names, on the host of the worker.',
  },
  INPUT_UNREADABLE: {
    meaning:
      'A workflow was started with something that is no input of it, or under a type that nobody knows.',
    retryable: false,
    remedy: 'Nothing was done. Start deployments with: soakgate start <plan>.',
  },
  STEP_CRASHED: {
    meaning: 'A step ended with an unexpected error.',
    retryable: false,
    remedy: 'Read the log of the worker, and report the message.',
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
