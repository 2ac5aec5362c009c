// The evidence package on disk: its files hashed, and a package held against its manifest.
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { MANIFEST, type Manifest, type SignedManifest } from '../core/evidence.ts';
import { signedText } from '../core/messages.ts';
import { hashFile, readIfThere } from './files.ts';
import { hashJson, verifyText } from './trust.ts';

export interface EvidenceVerdict {
  /** `incomplete`: it was cut off before it was closed. */
  readonly state: 'valid' | 'changed' | 'incomplete';
  /** What is wrong, file by file. */
  readonly problems: readonly string[];
  /** The manifest's hash: the deployment's result. */
  readonly manifest: string | null;
  /** What this look could not show (rule 12). */
  readonly unproven: readonly string[];
}

/**
 * Every file below the folder but the manifest, with sha256 and size; what is not a regular file is named.
 */
export async function hashEvidence(
  folder: string,
): Promise<{ files: Manifest['files']; odd: readonly string[] }> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const named = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => ({ entry, name: relative(folder, join(entry.parentPath, entry.name)) }))
    .filter(({ name }) => name !== MANIFEST)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const files: Record<string, { sha256: string; size: number }> = {};
  for (const { entry, name } of named) if (entry.isFile()) files[name] = await hashFile(join(folder, name));
  return { files, odd: named.filter(({ entry }) => !entry.isFile()).map(({ name }) => name) };
}

/**
 * Holds a package against its manifest.
 * @param control public key of the control worker (`ed25519:…`); without it a rewritten manifest cannot be
 * told from a true one.
 */
export async function verifyEvidence(folder: string, control?: string): Promise<EvidenceVerdict> {
  const unproven = control === undefined ? ['the signature of the manifest: pass --control KEY'] : [];
  const text = await readIfThere(join(folder, MANIFEST));
  if (text === undefined)
    return {
      state: 'incomplete',
      problems: [`there is no ${MANIFEST}: the evidence was never sealed, or the folder is wrong`],
      manifest: null,
      unproven,
    };
  const sealed = parseManifest(text);
  if (!sealed)
    return { state: 'changed', problems: [`${MANIFEST} is not a manifest`], manifest: null, unproven };
  const { files, odd } = await hashEvidence(folder);
  const problems = [
    ...manifestProblems(sealed, control),
    ...odd.map((name) => `${name} is not a regular file`),
    ...fileProblems(sealed.files, files),
  ];
  return { state: problems.length === 0 ? 'valid' : 'changed', problems, manifest: sealed.hash, unproven };
}

function parseManifest(text: string): SignedManifest | null {
  try {
    const parsed = JSON.parse(text) as Partial<SignedManifest> | null;
    const whole =
      parsed?.soakgate === 1 &&
      typeof parsed.hash === 'string' &&
      typeof parsed.signature === 'string' &&
      typeof parsed.files === 'object';
    return whole && parsed.files !== null ? (parsed as SignedManifest) : null;
  } catch {
    return null;
  }
}

function manifestProblems(
  { hash, signature, ...manifest }: SignedManifest,
  control: string | undefined,
): string[] {
  if (hashJson(manifest) !== hash) return [`${MANIFEST} was changed: its hash does not match`];
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
