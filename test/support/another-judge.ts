// A judge of evidence packages that shares no code with the product: the text under a signature as docs/evidence.md
// describes it, `openssl` for the signatures, and node:crypto for the seal of a forger who holds the control key.
import { createHash, createPrivateKey, sign } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './programs.ts';

type Value = null | boolean | number | string | Value[] | { [key: string]: Value };

/** Keys sorted, no white space. */
export function canonicalText(value: Value): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalText(value[key]!)}`).join(',')}}`;
}

export const textUnder = (kind: string, person: string, body: Value): string =>
  `soakgate/${kind}/v1\n${canonicalText({ person, body })}`;

/** What `openssl` says of a signature by a key as environment files write it. */
export async function opensslSays(key: string, text: string, signature: string): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'sg-judge-'));
  try {
    const der = Buffer.concat([
      Buffer.from('302a300506032b6570032100', 'hex'),
      Buffer.from(key.slice('ed25519:'.length), 'base64'),
    ]);
    await writeFile(
      join(folder, 'key.pem'),
      `-----BEGIN PUBLIC KEY-----\n${der.toString('base64')}\n-----END PUBLIC KEY-----\n`,
    );
    await writeFile(join(folder, 'text'), text);
    await writeFile(join(folder, 'signature'), Buffer.from(signature, 'base64'));
    const line = 'pkeyutl -verify -pubin -inkey key.pem -rawin -in text -sigfile signature';
    return (await run('openssl', line.split(' '), { cwd: folder })).exitCode === 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const sha256Of = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');

/** Signs with a private key in PEM. */
export const signedBy = (pem: string, text: string): string =>
  sign(null, Buffer.from(text), createPrivateKey(pem)).toString('base64');

/** Seals a package anew, as whoever holds the control key can. */
export async function sealAgain(
  folder: string,
  controlPem: string,
  change: (manifest: Record<string, Value>) => Record<string, Value> = (manifest) => manifest,
): Promise<void> {
  const path = join(folder, 'manifest.json');
  const {
    hash: _hash,
    signature: _signature,
    ...before
  } = JSON.parse(await readFile(path, 'utf8')) as Record<string, Value>;
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files: Record<string, Value> = {};
  for (const entry of entries.filter((candidate) => candidate.isFile())) {
    const file = join(entry.parentPath, entry.name);
    if (file === path) continue;
    const content = await readFile(file);
    files[file.slice(folder.length + 1)] = { sha256: sha256Of(content), size: content.length };
  }
  const manifest = change({ ...before, files });
  const signature = signedBy(controlPem, textUnder('manifest', 'control', manifest));
  await writeFile(
    path,
    JSON.stringify({ ...manifest, hash: sha256Of(canonicalText(manifest)), signature }, null, 1),
  );
}
