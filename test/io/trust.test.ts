// Keys and signatures: whatever is touched, the signature no longer fits; a key that others may read is not
// used.
import { chmod, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Json } from '../../src/core/plan/plan.ts';
import {
  createKey,
  hashJson,
  publicText,
  readPrivateKey,
  sealGateReport,
  signMessage,
  verifyMessage,
  verifyText,
  writePrivateKey,
} from '../../src/io/trust.ts';

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'sg-trust-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

async function someone(name: string) {
  const { privatePem, publicText: text } = createKey();
  await writePrivateKey(join(folder, name), privatePem);
  return { key: await readPrivateKey(join(folder, name)), text };
}
const BODY = {
  deployment: 'd',
  environment: 'e',
  nonce: 'n',
  expires: '2030-01-01T00:00:00Z',
  comment: 'ü €',
};

describe('a signed message', () => {
  test('fits its key, in whatever order its members come', async () => {
    const ann = await someone('ann');
    expect(publicText(ann.key)).toBe(ann.text);
    const signed = signMessage(ann.key, 'approve', 'ann', BODY);
    expect(verifyMessage(signed, ann.text)).toBe(true);
    const turned = Object.fromEntries(Object.entries(BODY).reverse());
    expect(verifyMessage({ ...signed, body: turned }, ann.text)).toBe(true);
  });

  test('fits nothing else: body, person, kind of message, key, signature', async () => {
    const [ann, bo] = [await someone('a'), await someone('b')];
    const signed = signMessage(ann.key, 'approve', 'ann', BODY);
    expect(verifyMessage(signed, bo.text)).toBe(false);
    expect(verifyMessage({ ...signed, person: 'bo' }, ann.text)).toBe(false);
    expect(verifyMessage({ ...signed, message: 'attest' }, ann.text)).toBe(false);
    expect(verifyMessage({ ...signed, body: { ...BODY, nonce: 'm' } }, ann.text)).toBe(false);
    expect(verifyMessage({ ...signed, body: { ...BODY, more: null } }, ann.text)).toBe(false);
    for (const signature of ['', 'x', signed.signature.slice(4), signed.signature.toUpperCase()])
      expect(verifyMessage({ ...signed, signature }, ann.text)).toBe(false);
    // The same 64 bytes, written otherwise: a signature has one text.
    const { signature: text } = signed;
    const bytes = Buffer.from(text, 'base64');
    const open = text.replace(/.==$/u, (end) => `${String.fromCharCode(end.charCodeAt(0) + 1)}==`);
    for (const other of [
      text.slice(0, -2),
      ` ${text}`,
      `${text}\n`,
      `${text}=`,
      open,
      bytes.toString('base64url'),
    ]) {
      if (other === text) continue;
      expect(verifyMessage({ ...signed, signature: other }, ann.text), other).toBe(false);
    }
    for (const key of ['', 'ed25519:', 'ed25519:AAAA', `rsa:${ann.text}`])
      expect(verifyMessage(signed, key)).toBe(false);
  });

  test('any one changed member of any body is seen', async () => {
    const { key, text } = await someone('any');
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue(), { minKeys: 1 }),
        fc.jsonValue(),
        (body, other) => {
          const signed = signMessage(key, 'decide', 'ann', body);
          const [name, value] = Object.entries(body)[0]!;
          fc.pre(hashJson(value) !== hashJson(other));
          return (
            verifyMessage(signed, text) &&
            !verifyMessage({ ...signed, body: { ...body, [name]: other as Json } }, text)
          );
        },
      ),
      { numRuns: 200 },
    );
  });
});

test('a gate report is sealed as it is, and the seal is no message', async () => {
  const { key, text } = await someone('control');
  const gateReport = {
    deployment: 'd',
    environment: 'e',
    number: 1,
    plan: '',
    list: '',
    commit: '',
    requester: 'ann',
    facts: {},
    statement: null,
    summary: [],
  };
  const sealed = sealGateReport(key, gateReport);
  expect(sealed.hash).toBe(hashJson(gateReport));
  expect(
    verifyText(
      text,
      `soakgate/gate-report/v1\n${JSON.stringify({ body: gateReport, person: 'control' })}`,
      sealed.signature,
    ),
  ).toBe(false);
  expect(
    verifyMessage(
      { message: 'approve', person: 'control', body: gateReport, signature: sealed.signature },
      text,
    ),
  ).toBe(false);
});

test('a private key is written for its owner alone, and refused when others may read it', async () => {
  const path = join(folder, 'open');
  await writePrivateKey(path, createKey().privatePem);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  await chmod(path, 0o640);
  await expect(readPrivateKey(path)).rejects.toThrow(`chmod 600 ${path}`);
});
