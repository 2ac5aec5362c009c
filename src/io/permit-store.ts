// What an environment's worker keeps under `used/`: permits, lists, nonces and notes of its own, written
// once.
// One use must outlive a history, and an activity must be comparable with what was permitted (rule 8).
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Permit } from '../core/messages.ts';
import type { RolloutRef } from '../core/ids.ts';
import type { StepList } from '../core/step-list.ts';
import { readIfThere, writeOnce, writeWhole, ifAbsent } from './files.ts';

export interface PermittedRollout {
  readonly rollout: RolloutRef;
  readonly permit: Permit;
  readonly list: StepList;
}

export interface PermitStore {
  /** Folder in which running commands of a rollout are noted. */
  processNotes(rollout: RolloutRef): string;
  rollout(rollout: Pick<RolloutRef, 'hash'>): Promise<PermittedRollout | undefined>;
  keepRollout(kept: PermittedRollout): Promise<void>;
  closed(rollout: Pick<RolloutRef, 'hash'>): Promise<string | undefined>;
  close(rollout: RolloutRef, outcome: string): Promise<void>;
  /** Deployments whose rollout of this service was entered and not closed. */
  open(service: string): Promise<readonly RolloutRef[]>;
  /** Every rollout of this service that was ever entered here. */
  all(service: string): Promise<readonly PermittedRollout[]>;
  /** The rollouts of this service that people left stuck: what was dirty then may still be. */
  leftStuck(service: string): Promise<readonly RolloutRef[]>;
  /** Who spent a nonce first; the same rollout may present it again. */
  spendNonce(nonce: string, by: string): Promise<string>;
  /**
   * When notice of a deployment's window was first attested by one of these people (RFC 3339, by this
   * worker's clock).
   */
  noticeGiven(deployment: string, people: readonly string[]): Promise<string | undefined>;
  giveNotice(deployment: string, person: string, at: string): Promise<void>;
  /** The hash of the rollout of this service that passed last. */
  passedLast(service: string): Promise<string | undefined>;
  note(rollout: RolloutRef, name: string): Promise<string | undefined>;
  /** The first note under a name wins, so that a second attempt finds what the first one saw. */
  noteOnce(rollout: RolloutRef, name: string, content: string): Promise<string>;
  noteAgain(rollout: RolloutRef, name: string, content: string): Promise<void>;
}

/** Opens the folder `used/` of an environment. */
export function openPermitStore(folder: string): PermitStore {
  const place = (rollout: Pick<RolloutRef, 'hash'>, name: string) =>
    join(folder, 'rollouts', rollout.hash, name);
  const read = async (rollout: Pick<RolloutRef, 'hash'>) => {
    const text = await readIfThere(place(rollout, 'kept.json'));
    return text ? (JSON.parse(text) as PermittedRollout) : undefined;
  };
  const all = async (service: string) => {
    const names = await readdir(join(folder, 'rollouts')).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      return [] as string[];
    });
    const found = await Promise.all(names.map((hash) => read({ hash })));
    return found.flatMap((kept) => (kept && kept.rollout.service === service ? [kept] : []));
  };
  const endedAs = async (service: string, outcome: string | undefined) => {
    const names = await readdir(join(folder, 'rollouts')).catch(ifAbsent([] as string[]));
    const found = await Promise.all(
      names.map(async (hash) =>
        (await readIfThere(place({ hash }, 'closed'))) === outcome ? read({ hash }) : undefined,
      ),
    );
    return found.flatMap((kept) => (kept && kept.rollout.service === service ? [kept.rollout] : []));
  };
  return {
    processNotes: (rollout) => place(rollout, 'processes'),
    rollout: read,
    keepRollout: async (kept) =>
      void (await writeOnce(place(kept.rollout, 'kept.json'), JSON.stringify(kept))),
    closed: (rollout) => readIfThere(place(rollout, 'closed')),
    close: async (rollout, outcome) => {
      if (outcome === 'passed') await writeWhole(join(folder, 'passed-last', rollout.service), rollout.hash);
      await writeWhole(place(rollout, 'closed'), outcome);
    },
    open: (service) => endedAs(service, undefined),
    all,
    leftStuck: (service) => endedAs(service, 'stuck'),
    spendNonce: (nonce, by) => writeOnce(join(folder, 'nonces', nonce.replace(/[^A-Za-z0-9_-]/gu, '_')), by),
    ...notices(folder),
    passedLast: (service) => readIfThere(join(folder, 'passed-last', service)),
    note: (rollout, name) => readIfThere(place(rollout, name)),
    noteOnce: (rollout, name, content) => writeOnce(place(rollout, name), content),
    noteAgain: (rollout, name, content) => writeWhole(place(rollout, name), content),
  };
}

/** When notice of a deployment's window was attested, by whom: the first time counts. */
function notices(folder: string): Pick<PermitStore, 'noticeGiven' | 'giveNotice'> {
  const notice = (...of: readonly string[]) =>
    join(folder, 'notices', ...of.map((name) => name.replace(/[^A-Za-z0-9_-]/gu, '_')));
  return {
    noticeGiven: async (deployment, people) =>
      (await Promise.all(people.map((person) => readIfThere(notice(deployment, person)))))
        .filter((at) => at !== undefined)
        .sort()[0],
    giveNotice: async (deployment, person, at) => void (await writeOnce(notice(deployment, person), at)),
  };
}
