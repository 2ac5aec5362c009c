// Django's migrations, by the release's own Django: pending by name, SQL of exactly the range, one
// transaction for each migration.
import { withoutFrames } from '../../src/core/python-trace.ts';
import { fail } from '../../src/core/failures.ts';
import { databaseName, sessionOptions, withSession } from '../../src/io/postgres.ts';
import { noteSubtransaction } from '../../src/io/fence.ts';
import { tail } from '../../src/io/redact.ts';
import type { Work } from '../frame/step-context.ts';
import { type DjangoRequest, MARK, PROGRAM } from './django-program.ts';
import { HELD_LOCKS_JSON, type MigrationFailure, type Tried, tryForLocks } from './locks.ts';
import {
  type HeldLock,
  type MigrationPreview,
  type Migrator,
  optionsFor,
  type UpgradeOptions,
} from './migrator.ts';
import { LOCK_NOT_AVAILABLE, type Watched } from './watched.ts';

const LEDGER = 'django_migrations';
/** After each run Django notes the content types and permissions of what there is now; no downgrade removes them. */
const NOTED = ['django_content_type', 'auth_permission'];
const HALF_APPLIED = ['42701', '42710', '42P07'];

interface Failed {
  readonly name: string;
  readonly state: string | null;
  readonly message: string;
  readonly detail: string | null;
  readonly constraint: string | null;
  readonly table: string | null;
}

interface Facts {
  readonly applied?: readonly string[];
  readonly pending?: readonly { readonly name: string }[];
  readonly conflicts?: Readonly<Record<string, readonly string[]>>;
  readonly name?: string;
  readonly irreversible?: readonly string[];
  readonly empty?: boolean;
  readonly up?: string;
  readonly down?: string;
  readonly upRefused?: string;
  readonly downRefused?: string;
  readonly locks?: readonly HeldLock[];
  /** Whose locks they are. */
  readonly of?: string;
  readonly moved?: string;
  readonly tookMs?: number;
  readonly failed?: Failed;
  readonly wrongSession?: readonly string[];
}

export const django: Migrator = {
  status: async (work, url) => {
    const [facts] = await look(work, url, { ask: 'status', names: [] });
    const conflicts = Object.entries(facts?.conflicts ?? {});
    if (conflicts.length > 0)
      fail(
        'MIGRATION_MISMATCH',
        'an app has more than one last migration',
        conflicts.map(([app, names]) => `${app}: ${names.join(', ')}`),
      );
    return { applied: facts?.applied ?? [], pending: (facts?.pending ?? []).map(({ name }) => name) };
  },
  preview: async (work, names) => (await look(work, work.url, { ask: 'sql', names })).map(previewOf),
  upgrade: async (work, url, names, options) => move(work, url, names, options, 'migrate'),
  downgrade: async (work, url, names, options) => move(work, url, [...names].reverse(), options, 'reverse'),
  prepared: (_, name) => {
    const [app, label] = [name.slice(0, name.indexOf('.')), name.slice(name.indexOf('.') + 1)];
    return [{ from: `${app}/forward/${label}.py`, to: `${app}/migrations/${label}.py` }];
  },
  ledgers: () => [LEDGER, ...NOTED],
  leavesRows: () => NOTED,
};

function previewOf(facts: Facts): MigrationPreview {
  const irreversible = (facts.irreversible ?? []).map((operation) => `cannot be reversed: ${operation}`);
  return {
    name: facts.name ?? '',
    up: facts.up ?? `-- no SQL beforehand: ${facts.upRefused}`,
    down: irreversible.length > 0 ? null : (facts.down ?? `-- no SQL beforehand: ${facts.downRefused}`),
    faults: [
      ...irreversible,
      ...(facts.empty ? ['is an empty shell: it would be stamped and change nothing'] : []),
    ],
    notes: facts.upRefused
      ? ['has no SQL beforehand, it looks into the database itself: the rehearsal is its preview']
      : [],
  };
}

/**
 * All of them in one process, because each start of Django is longer than most migrations, and the site may
 * be closed meanwhile. Each has its own
 * transaction, and its own tries: one that does not get its lock ends the process, and what is then still
 * open in the ledger begins another.
 */
async function move(
  work: Work,
  url: string,
  names: readonly string[],
  options: UpgradeOptions,
  ask: 'migrate' | 'reverse',
): Promise<readonly string[]> {
  const stillOpen = async () => {
    const applied = await readLedger(work, url);
    return names.filter((name) => applied.includes(name) !== (ask === 'migrate'));
  };
  let open = await stillOpen();
  const lines = names
    .filter((name) => !open.includes(name))
    .map((name) => `${name}: ${ask === 'migrate' ? 'already applied' : 'not applied'}`);
  let before: Tried | undefined;
  while (open.length > 0) {
    const asked = open;
    const moved: Moved[] = [];
    const { waited, blockers } = await tryForLocks(
      work,
      url,
      asked[0]!,
      options,
      (watch) => moveThem(work, url, asked, { ...options, watch }, ask, moved),
      before,
    );
    lines.push(
      ...moved.map(({ name, tookMs }, index) => `${name}: ${tookMs} ms${index === 0 ? waited : ''}`),
    );
    open = await stillOpen();
    // The next one has not got its lock in that process: a try as well.
    before = { tries: 1, blockers };
    // Django says that it is through and its ledger does not: whoever asked finds that when it looks.
    if (open.length === asked.length) break;
  }
  return lines;
}

interface Moved {
  readonly name: string;
  readonly tookMs: number;
}

/** Adds to `moved` what went through. Null also when only a part did and the next waits for a lock. */
async function moveThem(
  work: Work,
  url: string,
  names: readonly string[],
  { guard, onLocks, lockTimeoutMs, statementTimeoutMs, watch }: UpgradeOptions & { readonly watch: Watched },
  ask: 'migrate' | 'reverse',
  moved: Moved[],
): Promise<MigrationFailure | null> {
  const limits = `-c lock_timeout=${lockTimeoutMs} -c statement_timeout=${statementTimeoutMs}`;
  const subtransaction = guard === undefined ? null : noteSubtransaction(work.rollout);
  const locks = onLocks ? HELD_LOCKS_JSON : null;
  const request = { ask, names, enter: watch.enter, guard: guard ?? null, subtransaction, locks };
  const { facts, result } = await run(work, url, request, lockTimeoutMs, {
    PGOPTIONS: sessionOptions(url, limits),
  });
  for (const { moved: name, tookMs = 0 } of facts) {
    if (name === undefined) continue;
    moved.push({ name, tookMs });
    onLocks?.(
      name,
      facts.flatMap((fact) => (fact.of === name ? (fact.locks ?? []) : [])),
      tookMs,
    );
  }
  if (result.exitCode === 0) return null;
  const failed = facts.find((fact) => fact.failed)?.failed;
  // It could not say itself which it was: the one behind those that it said.
  const name = failed?.name ?? names[moved.length] ?? names.at(-1)!;
  if (!failed)
    return {
      name,
      state: result.killedBy ? `none (ended by ${result.killedBy})` : 'unknown',
      lines: lastLines(result.stderr),
    };
  const state = await watch.stateOf(failed.state ?? 'unknown');
  return state === LOCK_NOT_AVAILABLE && moved.length > 0
    ? null
    : { name, state, lines: toldOf(failed, state) };
}

function toldOf({ name, message, detail, constraint, table }: Failed, state: string): readonly string[] {
  return [
    message,
    ...(detail ? [detail] : []),
    ...(constraint ? [`constraint ${constraint}${table ? ` on ${table}` : ''}`] : []),
    ...(HALF_APPLIED.includes(state)
      ? [`half applied? what ${name} makes is there already, though the ledger does not have it`]
      : []),
  ];
}

/** In whichever schema Django keeps it: the application may set its search path itself. */
async function readLedger(work: Work, url: string): Promise<readonly string[]> {
  return withSession(url, work.tag, async (session) => {
    await session.query('reset search_path');
    const [there] = await session.query<{ name: string }>(
      `select format('%I.%I', n.nspname, c.relname) as name
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relname = $1 and c.relkind = 'r' and n.nspname !~ '^pg_'
        order by (c.oid = to_regclass($1)) desc nulls last, n.nspname limit 1`,
      [LEDGER],
    );
    if (!there) return [];
    return (
      await session.query<{ name: string }>(
        `select app || '.' || name as name from ${there.name} order by id`,
      )
    ).map(({ name }) => name);
  });
}

/** Asks without writing: the session is read-only. */
async function look(
  work: Work,
  url: string,
  request: Pick<DjangoRequest, 'ask' | 'names'>,
): Promise<readonly Facts[]> {
  const { facts, result } = await run(
    work,
    url,
    { ...request, enter: null, guard: null, subtransaction: null, locks: null },
    null,
    {
      PGOPTIONS: sessionOptions(url, '-c default_transaction_read_only=on'),
    },
  );
  if (result.exitCode !== 0)
    fail(
      'RELEASE_FAILED',
      `Django could not be asked for its migrations (exit ${result.exitCode ?? result.killedBy})`,
      lastLines(result.stderr || result.stdout),
    );
  return facts;
}

/**
 * @throws StepFailure SESSION_UNKNOWN before anything is done, when Django's session is not the one it was
 * given.
 */
async function run(
  work: Work,
  url: string,
  request: Omit<DjangoRequest, 'expect'>,
  lockTimeoutMs: number | null,
  env: Readonly<Record<string, string>>,
) {
  const expect = { database: databaseName(url), application: work.tag, lockTimeoutMs };
  const argv = ['python', optionsFor<'django'>(work).manage, 'shell', '-v', '0', '-c', PROGRAM];
  await work.log(`$ python manage.py: ${request.ask} ${request.names.join(' ')}`);
  const asked: DjangoRequest = { ...request, expect };
  const result = await work.runRelease(argv, {
    url,
    quiet: true,
    env: { ...env, SOAKGATE_REQUEST: JSON.stringify(asked) },
  });
  work.signal.throwIfAborted();
  const lines = result.stdout.split('\n');
  await work.log(
    `${tail(lines.filter((line) => !line.startsWith(MARK)).join('\n'))}${tail(result.stderr)}→ exit ` +
      `${result.exitCode ?? result.killedBy} after ${Math.round(result.tookMs)} ms`,
  );
  const facts = lines
    .filter((line) => line.startsWith(MARK))
    .map((line) => JSON.parse(line.slice(MARK.length)) as Facts);
  const wrong = facts.find((fact) => fact.wrongSession)?.wrongSession;
  if (wrong) fail('SESSION_UNKNOWN', "Django's session is not the one that it was given", wrong);
  return { facts, result };
}

/** The frames of a trace stand in the log. */
const lastLines = (text: string): string[] => [
  ...withoutFrames(
    tail(text, 4_000)
      .split('\n')
      .filter((line) => line.length > 0),
  ),
];
