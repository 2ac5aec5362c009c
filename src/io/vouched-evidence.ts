// Holds an evidence package against the keys that its reader trusts: offline, from its files alone.
import type { Manifest } from '../core/evidence.ts';
import { signedText, type StartBody } from '../core/messages.ts';
import { compileSteps } from '../core/compile.ts';
import { parsePlan } from '../core/plan/parse.ts';
import type { StepList } from '../core/step-list.ts';
import type { TrustedKeys } from '../core/trusted-keys.ts';
import type { Case, Checks, SignedRecords } from '../core/vouch/case.ts';
import { vouchStart } from '../core/vouch/start.ts';
import { vouch, type Vouching } from '../core/vouch/vouch.ts';
import { readSignedRecords } from './signed-records.ts';
import { hashJson, verifyMessage, verifyStatement, verifyText } from './trust.ts';

/** Who vouches for what in a package whose files are those of its manifest. */
export async function vouchFor(folder: string, manifest: Manifest, keys: TrustedKeys): Promise<Vouching> {
  const names = Object.keys(manifest.files);
  const records = await readSignedRecords(folder, names);
  return vouch(caseOf(records, manifest, keys), names);
}

/** What the judges are given; the plan is parsed once somebody who is trusted has signed it. */
export function caseOf(records: SignedRecords, manifest: Manifest, keys: TrustedKeys): Case {
  const unread: Case = {
    keys,
    check: checks,
    manifest,
    records,
    start: records.start?.body ?? null,
    requester: records.start?.person ?? null,
    lists: null,
  };
  // Nobody's plan is parsed before somebody who is trusted has signed it.
  const [line] = vouchStart(unread).lines;
  return line?.fault === null && unread.start ? { ...unread, lists: listsOf(unread.start) } : unread;
}

function listsOf({
  planText,
  planFile,
  commit,
  files,
  pace,
}: StartBody): ReadonlyMap<string, StepList> | null {
  const parsed = parsePlan(planText, planFile);
  if (!('plan' in parsed)) return null;
  const { plan } = parsed;
  return new Map(
    plan.environments.map(({ name }) => [
      name,
      compileSteps({ plan, environment: name, commit, files, pace }),
    ]),
  );
}

/** What canonical JSON cannot hold was signed by nobody. */
const orElse = <T>(instead: T, work: () => T): T => {
  try {
    return work();
  } catch {
    return instead;
  }
};

/** However many messages name one gate report, it is hashed once. */
const hashes = new WeakMap<object, string>();

function hashOnce(value: unknown): string {
  if (typeof value !== 'object' || value === null) return orElse('', () => hashJson(value));
  const hash = hashes.get(value) ?? orElse('', () => hashJson(value));
  hashes.set(value, hash);
  return hash;
}

const checks: Checks = {
  signed: (message, key) => orElse(false, () => verifyMessage(message, key)),
  stated: (statement, key) => orElse(false, () => verifyStatement(statement, key)),
  sealed: ({ gateReport, signature }, key) =>
    orElse(false, () => verifyText(key, signedText('gateReport', 'control', gateReport), signature)),
  hash: hashOnce,
  time: Date.parse,
};
