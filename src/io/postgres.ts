// The one door to PostgreSQL (pg): one named session at a time, never a pool, so that each can be found and
// ended.
import pg from 'pg';
import { fail } from '../core/failures.ts';

export interface Session {
  query<Row extends object = Record<string, unknown>>(
    sql: string,
    values?: readonly unknown[],
  ): Promise<Row[]>;
  end(): Promise<void>;
  /** Whether the server has ended this session. */
  lost(): boolean;
}

const CONNECT_MS = 10_000;

/**
 * Settings that make the text of a row the same everywhere: what is hashed must not depend on the role's
 * defaults.
 */
const STEADY = `set datestyle = 'ISO, YMD'; set intervalstyle = 'iso_8601'; set extra_float_digits = 1;
    set bytea_output = 'hex'; set timezone = 'UTC'; set search_path = pg_catalog, public;`;

/**
 * Opens a session under our name (rule 4).
 * @throws StepFailure TARGET_UNREACHABLE when it cannot be opened; the address is never in the message.
 */
export async function connect(
  url: string,
  applicationName: string,
  options: { readonly steady?: boolean } = {},
): Promise<Session> {
  const client = new pg.Client({
    connectionString: url,
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
  });
  let lost = false;
  client.on('error', () => (lost = true));
  client.on('end', () => (lost = true));
  try {
    await client.connect();
    if (options.steady) await client.query(STEADY);
  } catch (error) {
    await client.end().catch(() => undefined);
    fail(
      'TARGET_UNREACHABLE',
      `the database ${describeAddress(url)} cannot be reached: ${(error as Error).message}`,
    );
  }
  return {
    query: async <Row extends object>(sql: string, values?: readonly unknown[]) =>
      (await client.query(sql, values ? [...values] : undefined)).rows as Row[],
    end: () => client.end(),
    lost: () => lost,
  };
}

/** Opens a session, hands it over, and closes it whatever happens. */
export async function withSession<T>(
  url: string,
  applicationName: string,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await connect(url, applicationName, { steady: true });
  try {
    return await use(session);
  } finally {
    await session.end().catch(() => undefined);
  }
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
/** `schema.table` or `table`, quoted part by part. */
export const quoteTable = (name: string): string => name.split('.').map(quoteName).join('.');

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

/** An address as libpq's environment variables, so that no password stands on a command line (rule 7). */
export function pgEnvironment(url: string, applicationName: string): Record<string, string> {
  const { hostname, port, username, password, searchParams } = new URL(url);
  const set = (name: string, value: string | null) => (value ? { [name]: decodeURIComponent(value) } : {});
  return {
    ...set('PGHOST', searchParams.get('host') ?? hostname),
    ...set('PGPORT', port),
    ...set('PGUSER', username),
    ...set('PGPASSWORD', password),
    ...set('PGSSLMODE', searchParams.get('sslmode')),
    PGDATABASE: databaseName(url),
    PGAPPNAME: applicationName,
    PGCONNECT_TIMEOUT: '10',
    PGCLIENTENCODING: 'UTF8',
  };
}
