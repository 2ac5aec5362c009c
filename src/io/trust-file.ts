// Reads the files that name whose signatures a reader of evidence trusts: environment files as the workers have them,
// and trust files, which hold keys and nothing else.
import { parse } from 'yaml';
import { z } from 'zod';
import { gatherKeys, type TrustedKeys, type TrustSource } from '../core/trusted-keys.ts';
import { NotAFile, readRegular } from './regular-file.ts';

const LARGEST = 1_000_000;

const key = z
  .string()
  .regex(
    /^ed25519:[A-Za-z0-9+/]{43}=$/u,
    'must be "ed25519:" and the base64 of a public key, as soakgate key show prints it',
  );
const quorum = z.union([
  z.strictObject({ any: z.array(z.string()) }),
  z.strictObject({ each: z.array(z.string()) }),
]);
const someone = z.strictObject({ key, roles: z.array(z.string()).optional() });

const trustFile = z.strictObject({
  'soakgate-trust': z.literal(1),
  control: key.optional(),
  /** Environment → key of its worker. */
  workers: z.record(z.string(), key).default({}),
  people: z.record(z.string(), z.union([key, someone])).default({}),
});

/** The part of an environment file that says whom to trust; a worker checks the rest. */
const environmentFile = z.looseObject({
  'soakgate-environment': z.literal(1),
  environment: z.string(),
  control: key,
  environments: z.record(z.string(), z.strictObject({ key })).default({}),
  people: z.record(z.string(), someone),
  guardrails: z.looseObject({
    start: quorum.optional(),
    approve: quorum.optional(),
    rollback: quorum.optional(),
    decide: quorum.optional(),
    operate: quorum.optional(),
  }),
});

/**
 * All files together.
 * @param control a control key that was named by itself.
 * @throws Error with every complaint, each with its file.
 */
export async function readTrust(files: readonly string[], control?: string): Promise<TrustedKeys> {
  const sources = await Promise.all(files.map(readSource));
  const { keys, faults } = gatherKeys([
    ...(control === undefined ? [] : [controlSource(control)]),
    ...sources,
  ]);
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return keys;
}

function controlSource(control: string): TrustSource {
  const named = key.safeParse(control);
  if (!named.success) throw new Error(`--control: ${named.error.issues[0]?.message}`);
  return { file: '--control', environment: null, control, people: [], workers: {}, guardrails: {} };
}

async function readSource(file: string): Promise<TrustSource> {
  const text = await readRegular(file, { most: LARGEST, throughLink: true }).catch((error: Error) => {
    throw error instanceof NotAFile ? new Error(`${file} ${error.message}`) : error;
  });
  if (text === undefined) throw new Error(`${file}: there is no such file`);
  const content = parsed(file, text);
  if (typeof content === 'object' && content !== null && 'soakgate-environment' in content)
    return ofEnvironment(file, checked(environmentFile, file, content));
  return ofTrustFile(file, checked(trustFile, file, content));
}

function parsed(file: string, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new Error(`${file} is no YAML: ${(error as Error).message}`, { cause: error });
  }
}

function checked<Form extends z.ZodType>(form: Form, file: string, content: unknown): z.infer<Form> {
  const result = form.safeParse(content);
  if (result.success) return result.data;
  throw new Error(
    result.error.issues
      .map(({ path, message }) => `${file} ${path.join('.') || '(whole file)'}: ${message}`)
      .join('\n'),
  );
}

function ofEnvironment(file: string, content: z.infer<typeof environmentFile>): TrustSource {
  const { start, approve, rollback, decide, operate } = content.guardrails;
  return {
    file,
    environment: content.environment,
    control: content.control,
    people: Object.entries(content.people).map(([name, person]) => ({
      name,
      key: person.key,
      roles: person.roles ?? [],
    })),
    workers: Object.fromEntries(
      Object.entries(content.environments).map(([name, worker]) => [name, worker.key]),
    ),
    guardrails: {
      ...(start && { start }),
      ...(approve && { approve }),
      ...(rollback && { rollback }),
      ...(decide && { decide }),
      ...(operate && { operate }),
    },
  };
}

function ofTrustFile(file: string, content: z.infer<typeof trustFile>): TrustSource {
  return {
    file,
    environment: null,
    control: content.control ?? null,
    people: Object.entries(content.people).map(([name, person]) =>
      typeof person === 'string'
        ? { name, key: person, roles: null }
        : { name, key: person.key, roles: person.roles ?? null },
    ),
    workers: content.workers,
    guardrails: {},
  };
}
