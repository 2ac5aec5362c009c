// The evidence package on disk: its files hashed, and a package held against its manifest.
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { MANIFEST, manifestText, type Manifest, type SignedManifest } from '../core/evidence.ts';
import { signedText } from '../core/messages.ts';
import type { TrustedKeys } from '../core/trusted-keys.ts';
import { isVouched, type Vouching } from '../core/vouch/vouch.ts';
import { hashRegular, NotAFile, readRegular } from './regular-file.ts';
import { hashJson, verifyText } from './trust.ts';
import { vouchFor } from './vouched-evidence.ts';

export interface EvidenceVerdict {
  /**
   * `incomplete`: it was cut off before it was closed. `not vouched for`: it is as it was sealed, and a signature that
   * should be in it is missing, bad or by a key that is not trusted.
   */
  readonly state: 'valid' | 'changed' | 'incomplete' | 'not vouched for';
  /** What is wrong, file by file. */
  readonly problems: readonly string[];
  /** The manifest's hash: the deployment's result. */
  readonly manifest: string | null;
  /** What this look could not show (rule 12). */
  readonly unproven: readonly string[];
  /** Who vouches for what; only where trusted keys were named. */
  readonly vouching?: Vouching;
}

const LARGEST_MANIFEST = 64_000_000;

/**
 * Every file below the folder but the manifest, with sha256 and size; what is not a regular file is named.
 */
export async function hashEvidence(
  folder: string,
): Promise<{ files: Manifest['files']; odd: readonly string[] }> {
  const named = await entriesIn(folder);
  const files: [string, { sha256: string; size: number }][] = [];
  const odd: string[] = [];
  for (const { entry, name } of named) {
    const hashed = entry.isFile() ? await hashIfFile(join(folder, name)) : null;
    if (hashed) files.push([name, hashed]);
    else odd.push(name);
  }
  return { files: Object.fromEntries(files), odd };
}

/** What is no regular file below the folder: a link, a pipe, a socket. */
export async function oddInEvidence(folder: string): Promise<readonly string[]> {
  return (await entriesIn(folder)).filter(({ entry }) => !entry.isFile()).map(({ name }) => name);
}

async function entriesIn(
  folder: string,
): Promise<readonly { readonly entry: Dirent; readonly name: string }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => ({ entry, name: relative(folder, join(entry.parentPath, entry.name)) }))
    .filter(({ name }) => name !== MANIFEST)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Null for what is no file any more. */
async function hashIfFile(path: string): Promise<{ sha256: string; size: number } | null> {
  try {
    return (await hashRegular(path)) ?? null;
  } catch (error) {
    if (error instanceof NotAFile) return null;
    throw error;
  }
}

/**
 * Holds a package against its manifest.
 * @param control public key of the control worker (`ed25519:…`); without it a rewritten manifest cannot be
 * told from a true one.
 * @param keys whose signatures are trusted; without them those of people and workers are not looked at.
 */
export async function verifyEvidence(
  folder: string,
  control?: string,
  keys?: TrustedKeys,
): Promise<EvidenceVerdict> {
  const unproven = control === undefined ? [unsealed(keys)] : [];
  const missing = { manifest: null, unproven };
  const noFolder = await folderFault(folder);
  if (noFolder !== null) return { state: 'incomplete', problems: [noFolder], ...missing };
  const text = await manifestTextIn(folder);
  if (text === null)
    return {
      state: 'incomplete',
      problems: [`there is no ${MANIFEST}: the evidence was never sealed, or the folder is wrong`],
      ...missing,
    };
  const sealed = typeof text === 'string' ? parseManifest(text) : null;
  if (!sealed) {
    const why = typeof text === 'string' ? 'is not a manifest' : text.fault;
    return { state: 'changed', problems: [`${MANIFEST} ${why}`], ...missing };
  }
  const { files, odd } = await hashEvidence(folder);
  const problems = [
    ...manifestProblems(sealed, control),
    ...writtenOtherwise(sealed, text as string),
    ...odd.map((name) => `${name} is not a regular file`),
    ...fileProblems(sealed.files, files),
  ];
  const state = problems.length === 0 ? 'valid' : 'changed';
  const verdict = { state, problems, manifest: sealed.hash, unproven } as const;
  if (!keys) return verdict;
  // Only what is there is looked at, whatever a manifest says.
  const vouching = await vouchFor(folder, { ...sealed, files }, keys);
  const vouched = isVouched(vouching) && control !== undefined;
  return { ...verdict, vouching, ...(state === 'valid' && !vouched && { state: 'not vouched for' }) };
}

const unsealed = (keys: TrustedKeys | undefined): string =>
  keys
    ? 'the signature of the manifest: the trusted files name no control key; pass --control KEY'
    : 'the signature of the manifest: pass --control KEY';

/** A link to a folder is as good as the folder: it is only read. */
async function folderFault(folder: string): Promise<string | null> {
  const found = await stat(folder).catch((error: NodeJS.ErrnoException) => error);
  if (found instanceof Error)
    return found.code === 'ENOENT'
      ? 'there is no such folder'
      : `the folder cannot be read: ${found.message}`;
  return found.isDirectory() ? null : 'it is no folder';
}

/** Null where there is none. */
async function manifestTextIn(folder: string): Promise<string | null | { readonly fault: string }> {
  try {
    return (await readRegular(join(folder, MANIFEST), { most: LARGEST_MANIFEST })) ?? null;
  } catch (error) {
    if (error instanceof NotAFile) return { fault: error.message };
    throw error;
  }
}

function parseManifest(text: string): SignedManifest | null {
  try {
    const parsed = JSON.parse(text) as Partial<SignedManifest> | null;
    const whole =
      parsed?.soakgate === 1 &&
      typeof parsed.hash === 'string' &&
      typeof parsed.signature === 'string' &&
      typeof parsed.deployment === 'string' &&
      typeof parsed.outcome === 'string' &&
      typeof parsed.files === 'object' &&
      parsed.files !== null &&
      Object.values(parsed.files).every((file) => typeof file === 'object' && file !== null);
    return whole ? (parsed as SignedManifest) : null;
  } catch {
    return null;
  }
}

/** A name that stands twice in it is read by others otherwise than here. */
function writtenOtherwise({ hash, signature, ...manifest }: SignedManifest, text: string): string[] {
  return manifestText(manifest, hash, signature).trim() === text.trim()
    ? []
    : [`${MANIFEST} was changed: it is not written as Soakgate writes it`];
}

function manifestProblems(
  { hash, signature, ...manifest }: SignedManifest,
  control: string | undefined,
): string[] {
  try {
    if (hashJson(manifest) !== hash) return [`${MANIFEST} was changed: its hash does not match`];
  } catch {
    return [`${MANIFEST} was changed: it holds what nothing of ours writes`];
  }
  if (control !== undefined && !verifyText(control, signedText('manifest', 'control', manifest), signature))
    return [`${MANIFEST} was changed, or another control key signed it`];
  return [];
}

function fileProblems(listed: Manifest['files'], found: Manifest['files']): string[] {
  const names = [...new Set([...Object.keys(listed), ...Object.keys(found)])].sort();
  return names.flatMap((name) => {
    const [was, is] = [own(listed, name), own(found, name)];
    if (!is) return [`${name} is missing`];
    if (!was) return [`${name} was added`];
    return was.sha256 === is.sha256 && was.size === is.size ? [] : [`${name} was changed`];
  });
}

const own = (files: Manifest['files'], name: string) =>
  Object.hasOwn(files, name) ? files[name] : undefined;
