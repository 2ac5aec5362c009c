// Who decided, and what was refused: sorted when the evidence is closed, so that neither stands among the other.
import type { CloseEvidenceInput } from '../../src/core/activities.ts';
import type { VerifiedMessage } from '../../src/core/messages.ts';
import { plainEntry, type RefusedEntry, type RefusedRecord } from '../../src/core/refused.ts';
import { approvalPath, evidenceFolder, refusedPath } from '../frame/artifact-paths.ts';
import { type Filed, readFiled } from './records.ts';
import type { ControlContext } from './world.ts';

export interface Decided {
  readonly counted: readonly VerifiedMessage[];
  readonly refused: RefusedRecord;
  /** What stands among signed messages and is none. */
  readonly troubles: readonly string[];
}

const MOST_REFUSED = 500;

/**
 * What a place wrote when it verified it stands, with its time, unless it came too late or to nothing; what no place
 * has written never counted. Writes `refused.json`, and each refused message that a known person has signed.
 */
export async function sortDecided(
  { artifacts }: ControlContext,
  input: CloseEvidenceInput,
  folder: string,
): Promise<Decided> {
  const own = evidenceFolder(input.deployment);
  const written = await readFiled(folder, 'approvals');
  const reasons = new Map(input.refusals?.signed.map(({ nonce, why }) => [nonce, why]));
  // What came to nothing takes those along that had waited for it.
  const whyOf = ({ signed, completedBy = '' }: VerifiedMessage) =>
    reasons.get(signed.body.nonce) ?? reasons.get(completedBy);
  const put = (file: string, record: Filed['record']) =>
    artifacts.put(refusedPath(`${own}/${file}`), JSON.stringify(record, null, 1));
  for (const { file, record } of written.filed) {
    const why = whyOf(record);
    if (why === undefined) continue;
    await put(file, { ...record, why });
    await artifacts.remove(`${own}/${file}`);
  }
  const known = new Set(written.filed.map(({ record }) => record.signed.body.nonce));
  for (const record of input.approvals.filter(({ signed }) => !known.has(signed.body.nonce))) {
    const file = approvalPath(input.deployment, record.signed).slice(own.length + 1);
    await put(file, {
      ...record,
      why: `no worker of ${record.signed.body.environment} has written that it counted`,
    });
  }
  const counted = written.filed.filter(({ record }) => whyOf(record) === undefined);
  const kept = await readFiled(folder, 'refused');
  const refused = recordOf(input, kept.filed);
  await artifacts.put(
    `${own}/refused.json`,
    JSON.stringify({ soakgate: 1, deployment: input.deployment, ...refused }, null, 1),
  );
  return {
    counted: counted.map(({ record }) => record),
    refused,
    troubles: [...written.odd, ...kept.odd].map(
      (file) => `${file} is no signed message; nobody knows who laid it there.`,
    ),
  };
}

function recordOf({ refusals }: CloseEvidenceInput, kept: readonly Filed[]): RefusedRecord {
  const entries: readonly RefusedEntry[] = [
    ...kept.map(({ file, record: { signed, why = '' } }) => ({
      message: signed.message,
      person: signed.person,
      environment: signed.body.environment,
      why,
      file,
    })),
    ...(refusals?.listed ?? []).map(({ message, person, environment, why }) => ({
      message,
      person,
      environment,
      why,
    })),
  ];
  return {
    refused: entries.slice(0, MOST_REFUSED).map(plainEntry),
    more: (refusals?.more ?? 0) + Math.max(0, entries.length - MOST_REFUSED),
    unreadable: refusals?.unreadable ?? 0,
  };
}
