// Reads everything signed out of an evidence package, by its shape only: whether it is true is judged elsewhere.
import { join } from 'node:path';
import { z } from 'zod';
import type { SealedGateReport, SignedStart, VerifiedMessage } from '../core/messages.ts';
import type { FiledMessage, FiledReport, FiledStatement, SignedRecords } from '../core/vouch/case.ts';
import { MOST_SIGNATURES } from '../core/start-signers.ts';
import { NotAFile, readRegular } from './regular-file.ts';

const LARGEST = 4_000_000;

const text = z.string();
const bound = z.looseObject({ deployment: text, environment: text, nonce: text, expires: text });
const message = z.looseObject({
  signed: z.strictObject({ message: text, person: text, body: bound, signature: text }),
  roles: z.array(text),
  at: text.nullable(),
  why: text.optional(),
});
const start = z.strictObject({
  message: z.literal('start'),
  person: text,
  body: z.looseObject({
    deployment: text,
    planText: text,
    planFile: text,
    plan: text,
    commit: text,
    files: z.record(text, text),
    lists: z.record(text, text),
  }),
  signature: text,
  also: z
    .array(z.strictObject({ person: text, signature: text }))
    .max(MOST_SIGNATURES - 1)
    .optional(),
});
const about = { deployment: text, environment: text, plan: text, list: text, commit: text, at: text };
const soakStatement = z.strictObject({
  body: z.looseObject({
    ...about,
    says: z.literal('soak-passed'),
    steps: z.array(z.looseObject({ step: text, kind: text, verdict: text })),
    soak: z.looseObject({
      startedAt: z.number(),
      endedAt: z.number(),
      observedMs: z.number(),
      samples: z.number(),
      missed: z.number(),
    }),
  }),
  signature: text,
});
const closingStatement = z.strictObject({
  body: z.looseObject({ ...about, says: z.literal('closed'), outcome: text, judgedAt: text.nullable() }),
  signature: text,
});
const report = z.strictObject({
  gateReport: z.looseObject({
    deployment: text,
    environment: text,
    plan: text,
    list: text,
    commit: text,
    requester: text,
    facts: z.record(text, z.looseObject({ holds: z.boolean(), why: text })),
    statement: soakStatement.nullable(),
  }),
  hash: text,
  signature: text,
});

/** `names` are the files of the package; what is missing or no signed record is a fault, never thrown. */
export async function readSignedRecords(folder: string, names: readonly string[]): Promise<SignedRecords> {
  const reading = new Reading(folder);
  const planText = names.includes('plan.yaml') ? await reading.text('plan.yaml') : null;
  const messages: FiledMessage[] = [];
  const statements: FiledStatement[] = [];
  const reports: FiledReport[] = [];
  for (const file of names) {
    const place = placeOf(file);
    if (place === 'message' || place === 'refused') {
      const record = await reading.json(file, message);
      if (record)
        messages.push({
          file,
          record: record as unknown as VerifiedMessage,
          ...(place === 'refused' && { refused: record.why ?? 'no reason was kept' }),
        });
    } else if (place === 'statement') {
      const statement = await reading.json(file, z.union([soakStatement, closingStatement]));
      if (statement)
        statements.push({ file, statement: statement as unknown as FiledStatement['statement'] });
    } else if (place === 'report') {
      const sealed = await reading.json(file, report);
      const opened = file.startsWith('approvals/');
      if (sealed) reports.push({ file, sealed: sealed as unknown as SealedGateReport, opened });
    } else if (place === 'odd')
      reading.faults.push(`${file}: nothing of that name stands among signed records`);
  }
  const signed = names.includes('approvals/start.json')
    ? await reading.json('approvals/start.json', start)
    : null;
  return {
    start: signed && planText !== null ? withPlan(signed as unknown as SignedStart, planText) : null,
    messages,
    statements,
    reports,
    faults: reading.faults,
  };
}

/** The signature covers the plan's text, which lies beside the start. */
const withPlan = (signed: SignedStart, planText: string): SignedStart => ({
  ...signed,
  body: { ...signed.body, planText },
});

type Kind = 'message' | 'refused' | 'statement' | 'report' | 'odd' | null;

function placeOf(file: string): Kind {
  const [folder, ...rest] = file.split('/');
  const json = file.endsWith('.json');
  if (folder === 'approvals') {
    if (file === 'approvals/start.json') return null;
    if (rest.length !== 2 || !json) return 'odd';
    return rest[1] === 'gate-report.json' ? 'report' : 'message';
  }
  if (folder === 'refused') return rest.length === 2 && json ? 'refused' : 'odd';
  if (folder === 'statements') return rest.length === 1 && json ? 'statement' : 'odd';
  if (folder === 'gate-reports') return rest.length === 1 && json ? 'report' : 'odd';
  return null;
}

class Reading {
  readonly faults: string[] = [];
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  async text(file: string): Promise<string | null> {
    try {
      return (await readRegular(join(this.folder, file), { most: LARGEST })) ?? null;
    } catch (error) {
      if (!(error instanceof NotAFile)) throw error;
      this.faults.push(`${file} ${error.message}`);
      return null;
    }
  }

  async json<Form extends z.ZodType>(file: string, form: Form): Promise<z.infer<Form> | null> {
    const content = await this.text(file);
    if (content === null) return null;
    const result = form.safeParse(jsonOf(content));
    if (result.success) return result.data;
    const { path, message: why } = result.error.issues[0]!;
    this.faults.push(`${file}: is no signed record (${path.join('.') || 'whole file'}: ${why})`);
    return null;
  }
}

function jsonOf(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}
