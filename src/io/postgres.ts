// The one door to PostgreSQL (pg): one named session at a time, never a pool, so that each can be found and
// ended.
import pg from 'pg';
import { fail } from '../core/failures.ts';

export interface Session {
  query<Row extends object = Record<string, unknown>>(
    sql: string,
    values?: readonly unknown[],
  ): Promise<Row[]>;
  /**
   * One statement by the extended protocol, whose server takes no second one: for SQL that somebody else has
   * written.
   */
  one<Row extends object = Record<string, unknown>>(sql: string): Promise<Row[]>;
  end(): Promise<void>;
  /** Whether the server has ended this session. */
  lost(): boolean;
}

const CONNECT_MS = 10_000;

/**
 * Settings that make the text of a row the same everywhere, and that no role, database or address can turn
 * into an end of the session: what is read must not depend on anybody's defaults. A server knows each or not.
 */
const STEADY = `select set_config(v.name, v.value, false) from (values
  ('datestyle', 'ISO, YMD'), ('intervalstyle', 'iso_8601'), ('extra_float_digits', '1'),
  ('bytea_output', 'hex'), ('timezone', 'UTC'), ('search_path', 'pg_catalog, public'),
  ('xmloption', 'content'), ('lc_monetary', 'C'), ('statement_timeout', '0'), ('lock_timeout', '0'),
  ('idle_in_transaction_session_timeout', '0'), ('idle_session_timeout', '0'), ('transaction_timeout', '0'),
  ('default_transaction_read_only', 'off'), ('default_transaction_isolation', 'read committed'),
  ('default_transaction_deferrable', 'off'), ('standard_conforming_strings', 'on'))
  as v (name, value) where exists (select from pg_catalog.pg_settings s where pg_catalog.lower(s.name) = v.name)`;

/** Reaches the server with the very first packet: a database may end statements after a few milliseconds. */
const FROM_THE_START = '-c statement_timeout=0';
const IDLE_SESSION_TIMEOUT = '57P05';
/** A session of ours that has just ended may still be counted. */
const TOO_MANY_CONNECTIONS = '53300';
const FULL_PAUSE_MS = 200;
const OPENINGS = 5;

/**
 * Opens a session under our name (rule 4), with settings that nobody's defaults change.
 * @throws StepFailure TARGET_UNREACHABLE when it cannot be opened; the address is never in the message.
 */
export async function connect(url: string, applicationName: string): Promise<Session> {
  let lost = false;
  const client = await open(url, applicationName, () => (lost = true));
  return {
    query: async <Row extends object>(sql: string, values?: readonly unknown[]) =>
      (await client.query(sql, values ? [...values] : undefined)).rows as Row[],
    one: async <Row extends object>(sql: string) =>
      (await client.query({ text: sql, queryMode: 'extended' } as pg.QueryConfig)).rows as Row[],
    end: () => client.end(),
    lost: () => lost,
  };
}

/** A pooler (PgBouncer) may refuse settings of the first packet: then they follow with the first statement. */
async function open(url: string, applicationName: string, onEnd: () => void): Promise<pg.Client> {
  let options: string | undefined = FROM_THE_START;
  for (let opening = 1; ; opening += 1) {
    try {
      return await openOnce(url, applicationName, options, onEnd);
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      const pooled = options !== undefined && /unsupported startup parameter/iu.test(message);
      if (pooled) options = undefined;
      const full = code === TOO_MANY_CONNECTIONS;
      if (full && opening < OPENINGS) await new Promise((wake) => setTimeout(wake, FULL_PAUSE_MS));
      if (opening < OPENINGS && (pooled || full || code === IDLE_SESSION_TIMEOUT)) continue;
      fail('TARGET_UNREACHABLE', `the database ${describeAddress(url)} cannot be reached: ${message}`);
    }
  }
}

async function openOnce(
  url: string,
  applicationName: string,
  options: string | undefined,
  onEnd: () => void,
): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: options === undefined ? url : withOptions(url, options),
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
  });
  let ended: Error | undefined;
  client.on('error', (error) => {
    ended ??= error;
    onEnd();
  });
  client.on('end', onEnd);
  try {
    await client.connect();
    await client.query(STEADY);
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw ended ?? error;
  }
}

/** Opens a session, hands it over, and closes it whatever happens. */
export async function withSession<T>(
  url: string,
  applicationName: string,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await connect(url, applicationName);
  try {
    return await use(session);
  } finally {
    await session.end().catch(() => undefined);
  }
}

/** The server's major version. */
export async function serverMajor(session: Session): Promise<number> {
  const [row] = await session.query<{ major: number }>(
    "select current_setting('server_version_num')::int / 10000 as major",
  );
  return row?.major ?? 0;
}

/** Host, port and database of an address, without user and password. */
export function describeAddress(url: string): string {
  try {
    const { hostname, port, pathname, searchParams } = new URL(url);
    return `${hostname || searchParams.get('host') || 'local'}${port ? `:${port}` : ''}${pathname}`;
  } catch {
    return '(unreadable address)';
  }
}

/** The same server and role, another database. */
export function withDatabase(url: string, database: string): string {
  const parsed = new URL(url);
  parsed.pathname = `/${encodeURIComponent(database)}`;
  return parsed.href;
}

/** The database that an address names. */
export function databaseName(url: string): string {
  return decodeURIComponent(new URL(url).pathname.slice(1));
}

/** A name as SQL writes it. */
export const quoteName = (name: string): string => pg.escapeIdentifier(name);
/** A text as SQL writes it. */
export const quoteText = (text: string): string => pg.escapeLiteral(text);
/** `schema.table` or `table`, quoted part by part; a part that is quoted already may hold a dot. */
export const quoteTable = (name: string): string =>
  partsOf(name)
    .map((part) => (part.startsWith('"') ? part : quoteName(part)))
    .join('.');
/** `schema` and `table`, each as it stands there. */
export const partsOf = (name: string): readonly string[] => name.match(/"(?:[^"]|"")*"|[^."]+/gu) ?? [name];

/** What PostgreSQL says of an error, or undefined when it is not one of its own. */
export function serverError(
  error: unknown,
): { code: string; constraint?: string; message: string; table?: string } | undefined {
  const candidate = error as {
    code?: string;
    constraint?: string;
    message?: string;
    table?: string;
    severity?: string;
  };
  if (typeof candidate?.code !== 'string' || candidate.code.length !== 5 || !candidate.severity)
    return undefined;
  return {
    code: candidate.code,
    message: candidate.message ?? '',
    ...(candidate.constraint && { constraint: candidate.constraint }),
    ...(candidate.table && { table: candidate.table }),
  };
}

/** Parameters of an address that libpq knows by a variable; what it says of TLS holds for every tool. */
const VARIABLES: Readonly<Record<string, string>> = {
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  sslcrl: 'PGSSLCRL',
  ssl_min_protocol_version: 'PGSSLMINPROTOCOLVERSION',
  channel_binding: 'PGCHANNELBINDING',
  gssencmode: 'PGGSSENCMODE',
  target_session_attrs: 'PGTARGETSESSIONATTRS',
  options: 'PGOPTIONS',
  passfile: 'PGPASSFILE',
  service: 'PGSERVICE',
};

/** An address as libpq's environment variables, so that no password stands on a command line (rule 7). */
export function pgEnvironment(url: string, applicationName: string): Record<string, string> {
  const { hostname, port, username, password, searchParams } = new URL(url);
  const set = (name: string, value: string | null) => (value ? { [name]: value } : {});
  return {
    ...set('PGHOST', searchParams.get('host') ?? decodeURIComponent(hostname)),
    ...set('PGPORT', searchParams.get('port') ?? port),
    ...set('PGUSER', decodeURIComponent(username)),
    ...set('PGPASSWORD', decodeURIComponent(password)),
    ...Object.fromEntries(
      Object.entries(VARIABLES).flatMap(([parameter, name]) => {
        const value = searchParams.get(parameter);
        return value === null ? [] : [[name, value]];
      }),
    ),
    PGDATABASE: databaseName(url),
    PGAPPNAME: applicationName,
    PGCONNECT_TIMEOUT: '10',
    PGCLIENTENCODING: 'UTF8',
  };
}

/**
 * The same for pg_dump and pg_restore: in the database's own encoding, which is always readable, and able to
 * write whatever the role's defaults say.
 */
export function dumpEnvironment(url: string, applicationName: string): Record<string, string> {
  const { PGCLIENTENCODING: _, ...environment } = pgEnvironment(url, applicationName);
  return {
    ...environment,
    PGOPTIONS: sessionOptions(url, `${FROM_THE_START} -c default_transaction_read_only=off`),
  };
}

/** `PGOPTIONS` of a session: what the address itself sets, and more. */
export const sessionOptions = (url: string, more: string): string =>
  [new URL(url).searchParams.get('options'), more].filter(Boolean).join(' ');

function withOptions(url: string, more: string): string {
  const parsed = new URL(url);
  parsed.searchParams.set('options', sessionOptions(url, more));
  return parsed.href;
}
