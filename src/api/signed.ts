// The shape of what people sign. Shape only: who signed it is proven where it opens something (rule 8).
import { z } from '@hono/zod-openapi';
import { MOST_SIGNATURES } from '../core/start-signers.ts';
import { canonical } from '../core/canonical.ts';

// Without the flag u: the OpenAPI document would have it in the pattern.
const HASH = /^[0-9a-f]{64}$/;

/** Deployments and people, as the commands name them. */
export const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/);
const hash = z.string().regex(HASH);
const commit = z.string().regex(/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/);
const text = z.string().max(4_096);
const word = z.string().min(1).max(200);
/** RFC 3339. */
const moment = z.iso.datetime({ offset: true });
/** base64 of 64 bytes. */
const signature = z.string().regex(/^[A-Za-z0-9+/]{86}==$/);
const nonce = z.string().min(1).max(100);
const positive = z.number().positive();

/** What has no canonical text has no signature either. */
const signable = (value: unknown): boolean => {
  try {
    return canonical(value) !== '';
  } catch {
    return false;
  }
};
const UNSIGNABLE =
  'it holds what no signature can cover (half a character, or a number that JSON does not have)';

/** Shape and number; that nobody signs twice is said with the plan, of a start of any origin. */
const alsoSchema = z
  .array(z.strictObject({ person: name, signature }).openapi('CoSignature'))
  .max(MOST_SIGNATURES - 1)
  .openapi({
    description:
      'Who signs the same start besides, as `soakgate sign` adds it: each a signature over the same words, with the ' +
      'name of that person. Each person and each signature once.',
  });

export const startSchema = z
  .strictObject({
    message: z.literal('start'),
    person: name,
    body: z.strictObject({
      deployment: name,
      namespace: word,
      nonce,
      expires: moment,
      planText: z.string().min(1),
      planFile: z.string().min(1).max(255),
      plan: hash,
      commit,
      files: z.record(z.string(), hash),
      pace: z
        .strictObject({ nominalMs: positive, realMs: positive })
        .refine(({ nominalMs, realMs }) => realMs <= nominalMs, 'the real time is the shorter one')
        .nullable(),
      lists: z.record(z.string(), hash),
    }),
    signature,
    also: alsoSchema.optional(),
  })
  .refine(signable, UNSIGNABLE)
  .openapi('SignedStart', {
    description: 'As `soakgate start PLAN --as YOU --print` gives it, and as `soakgate sign` adds to it.',
  });

const bound = {
  deployment: name,
  environment: word,
  namespace: word,
  nonce,
  signedAt: moment,
  expires: moment,
};
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/** What each message says besides; a later version may say more, which its signature covers. */
const fields = {
  approve: { plan: hash, list: hash, commit, gateReport: hash, comment: text.optional() },
  reject: { reason: text.optional() },
  attest: { plan: hash, attestation: word, text: text.min(1) },
  decide: { decision: word, loses: text.optional() },
  pause: {},
  resume: {},
  abort: { reason: text.optional() },
  rollback: { fallback: word.optional(), reason: text.optional(), loses: text.optional() },
  checkNow: {},
  extendSoak: { byMs: z.int().positive() },
  stopChecks: {},
} as const;

export type SentName = keyof typeof fields;
export const sentNames = Object.keys(fields) as [SentName, ...SentName[]];

const messageOf = (message: SentName) =>
  z
    .strictObject({
      message: z.literal(message),
      person: name,
      body: z.object({ ...bound, ...fields[message] }).catchall(scalar),
      signature,
    })
    .openapi(`Signed_${message}`, { description: 'As the command of that name gives it with `--print`.' });

const [first, ...others] = sentNames.map(messageOf);
export const messageSchema = z
  .discriminatedUnion('message', [first!, ...others])
  .refine(signable, UNSIGNABLE);
