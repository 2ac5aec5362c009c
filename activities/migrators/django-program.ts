// What Soakgate asks of Django, as one Python program run by `manage.py shell`: Django itself looks, renders
// and migrates.
// Facts come back as JSON behind a mark, never read out of what Django prints for people (field facts 8).

/** Begins each line that is meant for us. */
export const MARK = 'soakgate:';

/** One request; `names` are `app.migration`. */
export interface DjangoRequest {
  readonly ask: 'status' | 'sql' | 'migrate' | 'reverse';
  readonly names: readonly string[];
  /**
   * What the session must be, or nothing is done: proof that Django reached the database it was given, under
   * our name.
   */
  readonly expect: {
    readonly database: string;
    readonly application: string;
    readonly lockTimeoutMs: number | null;
  };
  /** Said at the beginning of each migration's transaction: its limits, whatever an earlier one has left. */
  readonly enter: string | null;
  /** Asked at the beginning and at the end of each migration's transaction. */
  readonly guard: string | null;
  /** Said in each savepoint before it is released, so that its rows are known as ours. */
  readonly subtransaction: string | null;
  /** Asked at the end of each migration's transaction, after deferred SQL. */
  readonly locks: string | null;
}

export const PROGRAM = `
import json, os, sys, time
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

request = json.loads(os.environ["SOAKGATE_REQUEST"])


def say(**fact):
    # Django leaves its own line open while it applies something.
    print("\\n${MARK}" + json.dumps(fact), flush=True)


def ask(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone() if cursor.description else None


def prove_session():
    database, application, lock_timeout = ask(
        "select current_database(), current_setting('application_name'),"
        " (select setting::int from pg_settings where name = 'lock_timeout')"
    )
    expect = request["expect"]
    wrong = []
    if database != expect["database"]:
        wrong.append(f"it is in database {database}, not in {expect['database']}")
    if application != expect["application"]:
        wrong.append(f"its application_name is {application!r}, not the one that was set")
    if expect["lockTimeoutMs"] is not None and lock_timeout != expect["lockTimeoutMs"]:
        wrong.append(f"its lock_timeout is {lock_timeout} ms, not {expect['lockTimeoutMs']} ms")
    if wrong:
        say(wrongSession=wrong)
        sys.exit(3)


def split(name):
    return tuple(name.split(".", 1))


def parent(graph, key):
    """The migration of the same app before this one."""
    same = [node.key for node in graph.node_map[key].parents if node.key[0] == key[0]]
    return same[0][1] if same else "zero"


def facts_of(migration):
    return {
        "name": f"{migration.app_label}.{migration.name}",
        "irreversible": [op.describe() for op in migration.operations if not op.reversible],
        "empty": not migration.operations and len({d for d in migration.dependencies if d[0] == migration.app_label}) < 2,
        "transaction": migration.atomic,
    }


def status():
    executor = MigrationExecutor(connection)
    executor.loader.check_consistent_history(connection)
    applied = sorted(MigrationRecorder(connection).applied_migrations().values(), key=lambda row: row.pk)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    say(
        applied=[f"{row.app}.{row.name}" for row in applied],
        pending=[facts_of(migration) for migration, _ in plan],
        conflicts={app: list(names) for app, names in executor.loader.detect_conflicts().items()},
    )


def sql():
    loader = MigrationLoader(connection, replace_migrations=False)
    for name in request["names"]:
        migration = loader.get_migration(*split(name))
        fact = facts_of(migration)
        for direction, backwards in (("up", False), ("down", True)):
            if backwards and fact["irreversible"]:
                continue
            try:
                fact[direction] = "\\n".join(loader.collect_sql([(migration, backwards)]))
            except Exception as error:
                fact[direction + "Refused"] = f"{type(error).__name__}: {error}"
        say(**fact)


class Watching(connection.SchemaEditorClass):
    """Asks the guard within the transaction of each migration, and what it has locked when all of its SQL has run."""

    def __enter__(self):
        entered = super().__enter__()
        if request["enter"] and not self.collect_sql:
            ask(request["enter"])
        if request["guard"] and not self.collect_sql:
            ask(request["guard"])
        return entered

    def __exit__(self, kind, error, trace):
        if kind is None and not self.collect_sql:
            for statement in self.deferred_sql:
                self.execute(statement, None)
            self.deferred_sql = []
            if request["guard"]:
                ask(request["guard"])
            if request["locks"] and self.atomic_migration:
                held = ask(request["locks"])[0]
                say(locks=held if isinstance(held, list) else json.loads(held), of=moving)
        return super().__exit__(kind, error, trace)


moving = None


def note_transactions():
    """Each transaction and each savepoint is noted at its end, from within."""
    commit, release = connection._commit, connection._savepoint_commit

    def noted_commit():
        if connection.connection is not None and not connection.get_autocommit():
            ask(request["guard"])
        commit()

    def noted_release(sid):
        ask(request["subtransaction"])
        release(sid)

    connection._commit, connection._savepoint_commit = noted_commit, noted_release


def move(name, target):
    global moving
    moving = name
    connection.SchemaEditorClass = Watching
    started = time.monotonic()
    try:
        call_command("migrate", split(name)[0], target, interactive=False, verbosity=1)
    except DatabaseError as error:
        cause = error.__cause__ or error
        diag = getattr(cause, "diag", None)
        say(
            failed={
                "name": name,
                "state": getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None),
                "message": getattr(diag, "message_primary", None) or str(error),
                "detail": getattr(diag, "message_detail", None),
                "constraint": getattr(diag, "constraint_name", None),
                "table": getattr(diag, "table_name", None),
            }
        )
        sys.exit(1)
    say(moved=name, tookMs=round((time.monotonic() - started) * 1000))


prove_session()
if request["ask"] == "status":
    status()
elif request["ask"] == "sql":
    sql()
else:
    if request["guard"]:
        note_transactions()
    for name in request["names"]:
        graph = MigrationLoader(connection).graph
        move(name, split(name)[1] if request["ask"] == "migrate" else parent(graph, split(name)))
`;
