// Notices a permit store that is an older copy or another folder than it was: a counter of its changes lies in it and,
// signed by the worker, on the artifact store. A store that is behind forgets who was permitted what.
import type { KeyObject } from 'node:crypto';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { meantFor } from '../core/ledger.ts';
import { signedText } from '../core/messages.ts';
import type { Artifacts } from './artifacts.ts';
import { ifAbsent, readIfThere, sha256, writeWhole } from './files.ts';
import type { PermitStore } from './permit-store.ts';
import { publicText, signText, verifyText } from './trust.ts';

export interface PermitCounter {
  /** Called behind each change that must not be forgotten. */
  count(): Promise<void>;
  /** Why the store is not the one that was counted last; null where it is. */
  fault(): Promise<string | null>;
  /**
   * People have signed that it is used as it is, at `signedAt` (milliseconds since the epoch). Nothing happens where
   * the fault was found later than that.
   */
  accept(signedAt: number): Promise<void>;
}

interface Count {
  /** Of the store, made when it first counted. */
  readonly id: string;
  readonly changes: number;
}

interface Kept {
  readonly body: Count & { readonly environment: string };
  readonly signature: string;
}

/** `folder` is the permit store. */
export function openPermitCounter(
  { folder, environment }: { readonly folder: string; readonly environment: string },
  artifacts: Artifacts,
  key: KeyObject,
): PermitCounter {
  const own = join(folder, 'changes.json');
  const name = `permit-stores/${sha256(environment).slice(0, 16)}.json`;
  const ownCount = async (): Promise<Count | null> => parsed(await readIfThere(own));
  const counted = async (): Promise<Kept | null> => parsed(await artifacts.read(name).catch(ifAbsent('')));
  const isOurs = ({ body, signature }: Partial<Kept>) =>
    body?.environment === environment &&
    signature !== undefined &&
    verifyText(publicText(key), signedText('permitStore', environment, body), signature);
  const write = async (count: Count): Promise<void> => {
    // Its own first: cut off in between, the store is ahead and not behind.
    await writeWhole(own, JSON.stringify(count));
    const body = { ...count, environment };
    const signature = signText(key, signedText('permitStore', environment, body));
    await artifacts.put(name, JSON.stringify({ body, signature } satisfies Kept));
  };
  let found: number | null = null;
  let writing: Promise<void> = Promise.resolve();
  const inTurn = (act: () => Promise<void>): Promise<void> =>
    (writing = writing.catch(() => undefined).then(act));
  const fault = async (): Promise<string | null> => {
    const why = faultOf(await ownCount(), await counted(), isOurs);
    found = why === null ? null : (found ?? Date.now());
    return why;
  };
  return {
    count: () =>
      inTurn(async () => {
        // What is behind stays behind until people have accepted it.
        if ((await fault()) !== null) return;
        const { id, changes } = (await ownCount()) ?? { id: randomUUID(), changes: 0 };
        await write({ id, changes: changes + 1 });
      }),
    fault,
    accept: (signedAt) =>
      inTurn(async () => {
        if ((await fault()) === null || !meantFor(signedAt, found ?? 0)) return;
        const { id } = (await ownCount()) ?? { id: randomUUID() };
        await write({ id, changes: ((await counted())?.body.changes ?? 0) + 1 });
      }),
  };
}

function faultOf(own: Count | null, kept: Kept | null, isOurs: (kept: Kept) => boolean): string | null {
  if (kept === null) return null;
  if (!isOurs(kept)) return 'its counter on the artifact store is not signed with the key of this worker';
  const { id, changes } = kept.body;
  if (own === null) return `it is empty, and ${changes} changes were made to the one before it`;
  if (own.id !== id) return 'another one was used last';
  return own.changes < changes
    ? `it is an older copy: it has seen ${own.changes} of ${changes} changes`
    : null;
}

/** Half a file, or none, is nothing. */
function parsed<T>(text: string | undefined): T | null {
  try {
    return text ? (JSON.parse(text) as T) : null;
  } catch {
    return null;
  }
}

/** The store, counting what it must not forget. */
export function countedStore(store: PermitStore, counter: PermitCounter): PermitStore {
  const counted = async <Got>(done: Promise<Got>): Promise<Got> => {
    const got = await done;
    await counter.count();
    return got;
  };
  return {
    ...store,
    keepRollout: (kept) => counted(store.keepRollout(kept)),
    close: (rollout, outcome) => counted(store.close(rollout, outcome)),
    addToLedger: (rollout, line) => counted(store.addToLedger(rollout, line)),
    spendNonce: (nonce, by) => counted(store.spendNonce(nonce, by)),
    spendSignatures: (about, completing, all) => counted(store.spendSignatures(about, completing, all)),
    giveNotice: (deployment, person, at) => counted(store.giveNotice(deployment, person, at)),
  };
}
