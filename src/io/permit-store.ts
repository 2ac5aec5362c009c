// What an environment's worker keeps under `used/`: permits, lists, nonces and notes of its own, written
// once.
// One use must outlive a history, and an activity must be comparable with what was permitted (rule 8).
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Permit, Signed } from '../core/messages.ts';
import type { RolloutRef } from '../core/ids.ts';
import type { StepList } from '../core/step-list.ts';
import { fail } from '../core/failures.ts';
import type { LedgerEntry, LedgerLine } from '../core/ledger.ts';
import { appendLine } from './append-line.ts';
import { readIfThere, sha256, writeOnce, writeWhole, ifAbsent } from './files.ts';
import { appendLedger, readLedger } from './ledger-file.ts';

export interface PermittedRollout {
  readonly rollout: RolloutRef;
  readonly permit: Permit;
  readonly list: StepList;
}

export interface PermitStore {
  /** Folder in which running commands of a rollout are noted. */
  processNotes(rollout: RolloutRef): string;
  /** Where a file that this worker makes and reads again lies meanwhile; its folder exists afterwards. */
  working(rollout: RolloutRef, name: string): Promise<string>;
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
  /** Keeps a signature that counts together with others under `about`; returns all that are kept there. */
  addSignature(about: string, signed: Signed): Promise<readonly Signed[]>;
  /** The signatures under `about` have counted, completed by this one: they count for nothing else. */
  spendSignatures(about: string, completing: Signed, all: readonly Signed[]): Promise<void>;
  /** Whether it has counted together with others before. */
  isSpent(signed: Signed): Promise<boolean>;
  /** What it completed under `about` before, all of it: its answer was lost then. */
  completed(about: string, signed: Signed): Promise<readonly Signed[] | null>;
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
  /** The readings of an observation, a line each, as this worker took them; `addSample` returns the size in bytes. */
  samples(rollout: RolloutRef, phase: string): Promise<string>;
  addSample(rollout: RolloutRef, phase: string, line: string): Promise<number>;
  /** What was begun, ended, undone and signed in a rollout, in order; dated by this worker's clock. */
  ledger(rollout: Pick<RolloutRef, 'hash'>): Promise<readonly LedgerEntry[]>;
  addToLedger(rollout: Pick<RolloutRef, 'hash'>, line: LedgerLine): Promise<void>;
}

/** A rollout's hash comes from callers, and names a folder: whatever is no hash is no rollout. */
const HASH = /^[0-9a-f]{10}$/u;

/** @throws StepFailure NOT_PERMITTED where the hash is none. */
const placeIn = (folder: string, { hash }: Pick<RolloutRef, 'hash'>, name: string): string =>
  HASH.test(hash)
    ? join(folder, 'rollouts', hash, name)
    : fail('NOT_PERMITTED', 'the hash of a rollout is 10 hex digits');

const samplesOf = (phase: string): string => `${phase === 'soak' ? 'soak' : 'watch'}-samples.jsonl`;

/** Opens the folder `used/` of an environment. */
export function openPermitStore(folder: string): PermitStore {
  const place = (rollout: Pick<RolloutRef, 'hash'>, name: string) => placeIn(folder, rollout, name);
  return {
    processNotes: (rollout) => place(rollout, 'processes'),
    working: async (rollout, name) => {
      await mkdir(place(rollout, 'working'), { recursive: true, mode: 0o700 });
      return join(place(rollout, 'working'), name);
    },
    rollout: (rollout) => readKept(folder, rollout),
    keepRollout: async (kept) =>
      void (await writeOnce(place(kept.rollout, 'kept.json'), JSON.stringify(kept))),
    closed: (rollout) => readIfThere(place(rollout, 'closed')),
    close: async (rollout, outcome) => {
      const closed = place(rollout, 'closed');
      if (outcome === 'passed') await writeWhole(join(folder, 'passed-last', rollout.service), rollout.hash);
      await writeWhole(closed, outcome);
      // What a killed attempt has left there may be as large as the database.
      await rm(place(rollout, 'working'), { recursive: true, force: true });
    },
    ...listed(folder),
    spendNonce: (nonce, by) => writeOnce(join(folder, 'nonces', sha256(nonce)), by),
    ...notices(folder),
    ...signatures(folder),
    passedLast: (service) => readIfThere(join(folder, 'passed-last', service)),
    note: (rollout, name) => readIfThere(place(rollout, name)),
    noteOnce: (rollout, name, content) => writeOnce(place(rollout, name), content),
    noteAgain: (rollout, name, content) => writeWhole(place(rollout, name), content),
    samples: async (rollout, phase) => (await readIfThere(place(rollout, samplesOf(phase)))) ?? '',
    addSample: (rollout, phase, line) => appendLine(place(rollout, samplesOf(phase)), line),
    ledger: (rollout) => readLedger(place(rollout, 'ledger.jsonl')),
    addToLedger: (rollout, line) => appendLedger(place(rollout, 'ledger.jsonl'), line),
  };
}

async function readKept(
  folder: string,
  rollout: Pick<RolloutRef, 'hash'>,
): Promise<PermittedRollout | undefined> {
  const text = await readIfThere(placeIn(folder, rollout, 'kept.json'));
  return text ? (JSON.parse(text) as PermittedRollout) : undefined;
}

/** The rollouts of a service that were entered here, all or by how they ended. */
function listed(folder: string): Pick<PermitStore, 'all' | 'open' | 'leftStuck'> {
  const entered = async (service: string, fits: (hash: string) => Promise<boolean>) => {
    const names = await readdir(join(folder, 'rollouts')).catch(ifAbsent([] as string[]));
    const found = await Promise.all(
      names
        .filter((name) => HASH.test(name))
        .map(async (hash) => ((await fits(hash)) ? readKept(folder, { hash }) : undefined)),
    );
    return found.flatMap((kept) => (kept && kept.rollout.service === service ? [kept] : []));
  };
  const endedAs = async (service: string, outcome: string | undefined) => {
    const fits = async (hash: string) => (await readIfThere(placeIn(folder, { hash }, 'closed'))) === outcome;
    return (await entered(service, fits)).map(({ rollout }) => rollout);
  };
  return {
    all: (service) => entered(service, async () => true),
    open: (service) => endedAs(service, undefined),
    leftStuck: (service) => endedAs(service, 'stuck'),
  };
}

/** When notice of a deployment's window was attested, by whom: the first time counts. */
function notices(folder: string): Pick<PermitStore, 'noticeGiven' | 'giveNotice'> {
  const notice = (...of: readonly string[]) => join(folder, 'notices', ...of.map(sha256));
  return {
    noticeGiven: async (deployment, people) =>
      (await Promise.all(people.map((person) => readIfThere(notice(deployment, person)))))
        .filter((at) => at !== undefined)
        .sort()[0],
    giveNotice: async (deployment, person, at) => void (await writeOnce(notice(deployment, person), at)),
  };
}

/** A nonce is one of its person's; no name holds a line's end. */
const nonceOf = ({ person, body }: Signed): string => sha256(`${person}\n${body.nonce}`);

interface Completed {
  readonly about: string;
  readonly all: readonly Signed[];
}

/** Signatures that wait for others, each under what it is about. */
function signatures(
  folder: string,
): Pick<PermitStore, 'addSignature' | 'spendSignatures' | 'completed' | 'isSpent'> {
  const waiting = (about: string) => join(folder, 'signatures', sha256(about));
  const done = (signed: Signed) => join(folder, 'completed', nonceOf(signed));
  const spent = (signed: Signed) => join(folder, 'counted', nonceOf(signed));
  return {
    addSignature: async (about, signed) => {
      await writeOnce(join(waiting(about), nonceOf(signed)), JSON.stringify(signed));
      const names = await readdir(waiting(about));
      const texts = await Promise.all(names.map((name) => readIfThere(join(waiting(about), name))));
      return texts.flatMap((text) => (text === undefined ? [] : [JSON.parse(text) as Signed]));
    },
    isSpent: async (signed) => (await readIfThere(spent(signed))) !== undefined,
    spendSignatures: async (about, completing, all) => {
      await writeOnce(done(completing), JSON.stringify({ about, all }));
      for (const one of all) await writeOnce(spent(one), about);
      await rm(waiting(about), { recursive: true, force: true });
    },
    completed: async (about, signed) => {
      const kept = JSON.parse((await readIfThere(done(signed))) ?? 'null') as Completed | null;
      return kept?.about === about ? kept.all : null;
    },
  };
}
