// Keys and signatures (rule 8): Ed25519 from node:crypto, one key per person and one per control worker.
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign as signBytes,
  verify as verifyBytes,
} from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { canonical } from '../core/canonical.ts';
import { type GateReport, type MessageName, type Signed, signedText } from '../core/messages.ts';
import type { SignedStatement, StatementBound } from '../core/statements.ts';
import { sha256, writeWhole } from './files.ts';

const RAW_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** A new key pair: the private key as PEM, the public one as `ed25519:<base64 of 32 bytes>`. */
export function createKey(): { privatePem: string; publicText: string } {
  const { privateKey } = generateKeyPairSync('ed25519');
  return {
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    publicText: publicText(privateKey),
  };
}

/** The public half as environment files write it. */
export function publicText(key: KeyObject): string {
  const der = createPublicKey(key as never).export({ type: 'spki', format: 'der' });
  return `ed25519:${der.subarray(RAW_PREFIX.length).toString('base64')}`;
}

/** Writes a private key with mode 0600. */
export async function writePrivateKey(path: string, pem: string): Promise<void> {
  await writeWhole(path, pem, 0o600);
}

/**
 * Reads a private key.
 * @throws Error when others may read the file.
 */
export async function readPrivateKey(path: string): Promise<KeyObject> {
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) throw new Error(`${path} may be read by others; run: chmod 600 ${path}`);
  return createPrivateKey(await readFile(path));
}

/** Signs one message of a person. */
export function signMessage<Body extends object>(
  key: KeyObject,
  message: MessageName,
  person: string,
  body: Body,
): Signed<Body> {
  return { message, person, body, signature: signText(key, signedText(message, person, body)) };
}

/** Whether the signature of a message is by this public key (`ed25519:…`). */
export function verifyMessage(signed: Signed<object>, publicKey: string): boolean {
  return verifyText(publicKey, signedText(signed.message, signed.person, signed.body), signed.signature);
}

export function signText(key: KeyObject, text: string): string {
  return signBytes(null, Buffer.from(text), key).toString('base64');
}

/** False for anything that is not a good signature, whatever is wrong with it. */
export function verifyText(publicKey: string, text: string, signature: string): boolean {
  try {
    const raw = Buffer.from(publicKey.replace(/^ed25519:/u, ''), 'base64');
    const signed = Buffer.from(signature, 'base64');
    // One signature has one text: base64 leaves bits open, and node reads around what is no base64.
    if (raw.length !== 32 || signed.toString('base64') !== signature) return false;
    const key = createPublicKey({ key: Buffer.concat([RAW_PREFIX, raw]), format: 'der', type: 'spki' });
    return verifyBytes(null, Buffer.from(text), key, signed);
  } catch {
    return false;
  }
}

/** sha256 of the canonical text. */
export function hashJson(value: unknown): string {
  return sha256(canonical(value));
}

/** Signs what an environment's worker states. */
export const signStatement = <Body extends StatementBound>(
  key: KeyObject,
  body: Body,
): SignedStatement<Body> => ({
  body,
  signature: signText(key, signedText('statement', body.environment, body)),
});

/** Whether a statement is signed by this public key (`ed25519:…`) of its environment's worker. */
export const verifyStatement = (
  { body, signature }: SignedStatement<StatementBound>,
  publicKey: string,
): boolean => verifyText(publicKey, signedText('statement', body.environment, body), signature);

/** Seals a gate report: hash and signature by the control worker's key. */
export function sealGateReport(
  key: KeyObject,
  gateReport: GateReport,
): { gateReport: GateReport; hash: string; signature: string } {
  return {
    gateReport,
    hash: hashJson(gateReport),
    signature: signText(key, signedText('gateReport', 'control', gateReport)),
  };
}
