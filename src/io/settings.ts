// Reads what lies beside a worker: the environment's file, the control worker's file, secrets by reference.
import { readFile } from 'node:fs/promises';
import { dirname, resolve, sep } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { fail } from '../core/failures.ts';
import type { Guardrails } from '../core/guardrails.ts';
import type { Person } from '../core/quorum.ts';
import { unmeetable } from '../core/unmeetable.ts';
import { type NotifierEntry, notifierForm } from '../core/plan/notifiers/index.ts';
import { secretRef } from '../core/plan/notifiers/notifier.ts';
import { parseDuration } from '../core/plan/units.ts';
import { APPROVAL_LIFE_MS } from '../core/signature-life.ts';

const quorum = z.union([
  z.strictObject({ any: z.array(z.string()) }),
  z.strictObject({ each: z.array(z.string()) }),
]);
const key = z
  .string()
  .regex(
    /^ed25519:[A-Za-z0-9+/]{43}=$/u,
    'must be "ed25519:" and the base64 of a public key, as soakgate key create prints it',
  );
const duration = z.string().transform((text, context) => {
  const ms = parseDuration(text.replace(/^at least /u, ''));
  if (typeof ms === 'number') return ms;
  context.addIssue({ code: 'custom', message: `${text} is not a duration; write e.g. 24h` });
  return z.NEVER;
});

const environmentFile = z.strictObject({
  'soakgate-environment': z.literal(1),
  environment: z.string(),
  services: z.record(
    z.string(),
    z.strictObject({
      root: z.string(),
      repository: z.string(),
      database: secretRef,
      url: z.string().optional(),
      inside: z.string().optional(),
      /** Values for the service's own processes; never in a plan. */
      env: z.record(z.string(), z.union([z.string(), secretRef])).default({}),
      'flag-file': z.string().optional(),
      /** Folder of the logs that monitors may read; default: `root`. */
      logs: z.string().optional(),
    }),
  ),
  artifacts: z.string(),
  'permit-store': z.string(),
  control: key,
  /** File of the private half of this worker's own key, with which it signs what it states. */
  'worker-key': z.string(),
  /** Workers of other environments whose statements count here. */
  environments: z.record(z.string(), z.strictObject({ key })).default({}),
  /**
   * Names of this worker's variables (proxy, certificates, a registry's token) that the build of a release
   * inherits.
   */
  'build-env': z
    .array(z.string().regex(/^[A-Za-z_]\w*$/u, 'must be the name of an environment variable'))
    .default([]),
  /** Who is told that something waits for a person here. */
  notifiers: z.array(notifierForm).default([]),
  people: z.record(z.string(), z.strictObject({ key, roles: z.array(z.string()) })),
  guardrails: z.strictObject({
    start: quorum,
    approve: quorum.default({ each: [] }),
    rollback: quorum,
    decide: quorum,
    operate: quorum,
    soak: duration.optional(),
    window: duration.optional(),
    notice: duration.optional(),
    /** How long an approval or attestation may be valid. */
    'longest-approval': duration.default(APPROVAL_LIFE_MS),
    pace: z.enum(['refused', 'allowed']).default('refused'),
    programs: z.array(z.string()),
    /** Folders in which a plan may name pid files, flag files and logs, beside the service's own. */
    files: z.array(z.string().regex(/^\/./u, 'must be an absolute path')).default([]),
  }),
});

export type SecretRef = z.infer<typeof secretRef>;

export interface ServiceSettings {
  readonly root: string;
  readonly repository: string;
  readonly database: SecretRef;
  readonly url?: string | undefined;
  readonly inside?: string | undefined;
  readonly env: Readonly<Record<string, string | SecretRef>>;
  readonly 'flag-file'?: string | undefined;
  readonly logs?: string | undefined;
}

export interface EnvironmentSettings {
  readonly environment: string;
  readonly services: Readonly<Record<string, ServiceSettings>>;
  readonly artifacts: string;
  readonly permitStore: string;
  readonly control: string;
  /** File of the worker's own private key; read by the worker only. */
  readonly workerKey: string;
  /** Public keys (`ed25519:…`) of other environments' workers, by environment. */
  readonly environments: Readonly<Record<string, string>>;
  /**
   * Names of variables that the build of a release inherits from the worker; the application's own commands
   * never do.
   */
  readonly buildEnv: readonly string[];
  readonly notifiers: readonly NotifierEntry[];
  readonly people: readonly Person[];
  readonly guardrails: Guardrails;
}

/**
 * Reads an environment's file; relative paths count from the file's folder.
 * @throws Error with all complaints, each with its path.
 */
export async function readEnvironmentFile(path: string): Promise<EnvironmentSettings> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new Error(
      `${error.message}\n  next: pass the environment file (docs/operations.md has an example)`,
    );
  });
  const result = environmentFile.safeParse(parse(text));
  if (!result.success)
    throw new Error(
      result.error.issues
        .map((issue) => `${path} ${issue.path.join('.')}: ${plainly(issue)}${remedyFor(issue)}`)
        .join('\n'),
    );
  const file = result.data;
  const secrets = file['build-env'].filter((name) => secretNames(file.services).has(name));
  if (secrets.length > 0)
    throw new Error(
      secrets
        .map((name) => `${path} build-env: ${name} holds a secret of a service; a build may not see it`)
        .join('\n'),
    );
  const from = (relative: string) => resolve(dirname(path), relative);
  const settings = settingsOf(file, from);
  const wrong = [...unmeetable(settings), ...sharedFolder(settings)];
  if (wrong.length > 0) throw new Error(wrong.map((line) => `${path} ${line}`).join('\n'));
  return settings;
}

/** `from` makes a path of the file absolute. */
function settingsOf(
  file: z.infer<typeof environmentFile>,
  from: (relative: string) => string,
): EnvironmentSettings {
  const { soak, window, notice, 'longest-approval': longest, ...guardrails } = file.guardrails;
  return {
    environment: file.environment,
    services: Object.fromEntries(
      Object.entries(file.services).map(([name, service]) => [
        name,
        {
          ...service,
          root: from(service.root),
          repository: from(service.repository),
          ...(service.logs !== undefined && { logs: from(service.logs) }),
        },
      ]),
    ),
    artifacts: from(file.artifacts),
    permitStore: from(file['permit-store']),
    control: file.control,
    workerKey: from(file['worker-key']),
    environments: Object.fromEntries(
      Object.entries(file.environments).map(([name, { key: text }]) => [name, text]),
    ),
    buildEnv: file['build-env'],
    notifiers: file.notifiers,
    people: Object.entries(file.people).map(([name, person]) => ({ name, ...person })),
    guardrails: {
      ...guardrails,
      ...(soak !== undefined && { soakMs: soak }),
      ...(window !== undefined && { windowMs: window }),
      ...(notice !== undefined && { noticeMs: notice }),
      longestApprovalMs: longest,
    },
  };
}

/** Artifacts are read and written by the control worker too; what a permit is worth lies where only this worker is. */
function sharedFolder({ artifacts, permitStore }: EnvironmentSettings): readonly string[] {
  const inside = (one: string, other: string) => `${one}${sep}`.startsWith(`${other}${sep}`);
  return inside(artifacts, permitStore) || inside(permitStore, artifacts)
    ? ['permit-store: lies in one folder with artifacts; give it a folder of its own']
    : [];
}

/** What is new to a file, and how it is made. */
const remedyFor = ({ path }: z.core.$ZodIssue): string =>
  path[0] === 'worker-key' ? '; create it: soakgate key create staging --worker, and name its file here' : '';

/** Zod's words as ours. */
function plainly({ code, message, ...issue }: z.core.$ZodIssue): string {
  if (code === 'unrecognized_keys') return `unknown key ${(issue as { keys?: string[] }).keys?.join(', ')}`;
  const [, expected, received] = /^Invalid input: expected (\w+), received (\w+)$/u.exec(message) ?? [];
  if (received === 'undefined') return 'is missing';
  return expected ? `must be ${expected === 'string' ? 'text' : `of the kind ${expected}`}` : message;
}

/** The worker's variables that hold the address of a database, or a value of a service. */
function secretNames(
  services: Readonly<Record<string, Pick<ServiceSettings, 'database' | 'env'>>>,
): ReadonlySet<string> {
  const references = Object.values(services).flatMap(({ database, env }) => [
    database,
    ...Object.values(env),
  ]);
  return new Set(
    references.flatMap((value) => (typeof value === 'object' && 'env' in value ? [value.env] : [])),
  );
}

/**
 * Every secret that this worker can resolve now, so that its log can hide it; what cannot be resolved fails
 * where it is used.
 */
export async function secretsOf(settings: EnvironmentSettings): Promise<readonly string[]> {
  const references = Object.values(settings.services).flatMap(({ database, env }) => [
    database,
    ...Object.values(env),
  ]);
  const addresses = settings.notifiers.flatMap(({ webhook }) => webhook?.url ?? []);
  const named = [...references, ...addresses].flatMap((value) => (typeof value === 'string' ? [] : [value]));
  const found = await Promise.all(named.map((reference) => resolveSecret(reference).catch(() => '')));
  return found.flatMap((secret) => (secret === '' ? [] : [secret, ...passwordsOf(secret)]));
}

/** As it stands in the address and as it is typed; nothing where there is none. */
export function passwordsOf(address: string): readonly string[] {
  if (!URL.canParse(address)) return [];
  const { password } = new URL(address);
  if (password === '') return [];
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    // A percent sign that begins no escape.
    return [password];
  }
}

/**
 * The value behind a reference.
 * @throws StepFailure SECRET_MISSING naming the reference, never a value.
 */
export async function resolveSecret(reference: SecretRef): Promise<string> {
  if ('env' in reference)
    return (
      process.env[reference.env] ??
      fail('SECRET_MISSING', `the environment variable ${reference.env} is not set on this worker`)
    );
  const text = await readFile(reference.file, 'utf8').catch(() =>
    fail('SECRET_MISSING', `the file ${reference.file} cannot be read on this worker`),
  );
  return text.trimEnd();
}
