// backup: dumped in an exported snapshot, hashed, restored into a scratch database, compared (rule 2).
import { count } from '../../src/core/count.ts';
import type { BackupSpec } from '../../src/core/plan/steps/backup.ts';
import { rm } from 'node:fs/promises';
import { fail } from '../../src/core/failures.ts';
import { scratchDatabase } from '../../src/core/ids.ts';
import type { ArtifactRef } from '../../src/core/receipts.ts';
import {
  asCopiedBy,
  compareSnapshots,
  describeDifference,
  notCopied,
  type Snapshot,
} from '../../src/core/snapshot.ts';
import { withDatabase, withSession } from '../../src/io/postgres.ts';
import { hashTree, ifAbsent, sha256 } from '../../src/io/files.ts';
import { tail } from '../../src/io/redact.ts';
import { readSequences, readTableMarks, readUncompared } from '../../src/io/snapshot.ts';
import { readDatabase, readSession } from '../database/read-database.ts';
import type { StepResult } from '../frame/receipt.ts';
import { PROOF_NOTE } from '../frame/under-lock.ts';
import { recreateFrom } from './scratch.ts';
import { rolloutFolder } from '../frame/artifact-paths.ts';
import type { Work } from '../frame/step-context.ts';
import { withOwnCopy } from '../frame/own-copy.ts';

export interface Proof {
  readonly dump: ArtifactRef;
  readonly snapshot: Snapshot;
  /** What the proof leaves open, a line each. */
  readonly notCompared: readonly string[];
}

/** The note that a backup was proven: what and, by this worker's clock, when (RFC 3339). */
export interface Proven {
  readonly dump: ArtifactRef;
  /** sha256 of the recorded state. */
  readonly recorded: string;
  readonly at: string;
  /** The transactions that the dump has seen, as `pg_current_snapshot()` writes them. */
  readonly seen: string;
  readonly notCompared?: readonly string[];
}

export const dumpName = (work: Work): string => `${rolloutFolder(work.rollout)}/backup.dump`;
/** The best first; each is tried, because a version says nothing of what its pg_dump was built with. */
const COMPRESSIONS = ['zstd:3', '3', '0'] as const;

const WITHOUT_OWNERS = 'owners and privileges, which the proof did not restore (owners: false)';

export async function backup(work: Work, spec: BackupSpec): Promise<StepResult> {
  const earlier = await earlierProof(work);
  if (earlier) return outcome(earlier, 'proven by an earlier attempt', spec);
  const own = await work.world.permitStore.working(work.rollout, `backup.${work.tag.split(':').at(-1)}`);
  try {
    return await proveBackup(work, spec, own);
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

/** Dumped, restored and compared in the worker's own folder `own`; then it is kept as an artifact. */
async function proveBackup(work: Work, spec: BackupSpec, own: string): Promise<StepResult> {
  const started = performance.now();
  const { snapshot, latest, seen, uncompared } = await dumpInSnapshot(work, spec, own);
  const dumped = performance.now();
  const { sha256: proven } = await hashTree(own);
  const scratch = scratchDatabase(work.rollout);
  work.progress('restoring into a scratch database');
  await recreateFrom(work, scratch, own);
  work.progress('comparing');
  const restored = await readDatabase(work, { url: withDatabase(work.url, scratch), saying: 'comparing' });
  const compared = asCopiedBy(spec);
  const differences = [
    ...compareSnapshots(compared(snapshot), compared(restored)).map(describeDifference),
    ...aheadOf(latest, restored.sequences),
  ];
  if (differences.length > 0)
    fail('RESTORE_FAILED', 'the restored copy is not what was dumped', differences.slice(0, 20));
  const dump = await work.world.artifacts.adopt(dumpName(work), own);
  if (dump.sha256 !== proven) fail('BACKUP_FAILED', 'the dump changed on disk while it was being proven');
  const notCompared = [
    ...notCopied(snapshot, restored),
    ...uncompared,
    ...(spec.owners === false ? [`not compared: ${WITHOUT_OWNERS}`] : []),
  ];
  const proof: Proof = { dump, snapshot, notCompared };
  const recorded = JSON.stringify(snapshot);
  await work.world.artifacts.put(recordedName(work), recorded);
  await work.world.permitStore.noteOnce(
    work.rollout,
    PROOF_NOTE,
    JSON.stringify({
      dump,
      recorded: sha256(recorded),
      at: new Date().toISOString(),
      seen,
      notCompared: proof.notCompared,
    } satisfies Proven),
  );
  const how = `dump ${seconds(dumped - started)}, proof ${seconds(performance.now() - dumped)}`;
  return outcome(proof, how, spec);
}

const recordedName = (work: Pick<Work, 'rollout'>): string => `${rolloutFolder(work.rollout)}/recorded.json`;

/**
 * What the database was when it was dumped; undefined where no backup has been proven.
 * @throws StepFailure RECORD_CHANGED when the file is not the one that was kept.
 */
export async function recordedSnapshot(work: Pick<Work, 'world' | 'rollout'>): Promise<Snapshot | undefined> {
  const proven = await provenBackup(work);
  if (!proven) return undefined;
  const text = await work.world.artifacts.read(recordedName(work)).catch(ifAbsent(undefined));
  if (text === undefined || sha256(text) !== proven.recorded)
    fail(
      'RECORD_CHANGED',
      `the recorded state ${recordedName(work)} is ${text === undefined ? 'gone' : 'not what the backup has written'}`,
    );
  return JSON.parse(text) as Snapshot;
}

/** The proven dump, in a copy of the worker's own. @throws StepFailure BACKUP_FAILED, BACKUP_MISSING. */
export async function withProvenDump(work: Work, use: (path: string) => Promise<void>): Promise<void> {
  const proven =
    (await provenBackup(work)) ?? fail('BACKUP_MISSING', 'no backup of this rollout has been proven');
  const changed = (isGone: boolean) =>
    fail('BACKUP_FAILED', `the proven dump is ${isGone ? 'gone' : 'no longer what it was'}`);
  await withOwnCopy(work, proven.dump, changed, use);
}

/** What was noted when the backup of this rollout was proven. */
export async function provenBackup(work: Pick<Work, 'world' | 'rollout'>): Promise<Proven | undefined> {
  const note = await work.world.permitStore.note(work.rollout, PROOF_NOTE);
  return note === undefined ? undefined : (JSON.parse(note) as Proven);
}

/** A finished attempt whose answer was lost: trusted only if the dump on disk is still the proven one. */
async function earlierProof(work: Work): Promise<Proof | undefined> {
  const [proven, snapshot] = [await provenBackup(work), await recordedSnapshot(work)];
  if (!proven || !snapshot) return undefined;
  const { dump, notCompared = [] } = proven;
  const now = await hashTree(await work.world.artifacts.path(dump.name)).catch(() => undefined);
  if (now?.sha256 !== dump.sha256) fail('BACKUP_FAILED', 'the proven dump is no longer what it was');
  return { dump, snapshot, notCompared };
}

interface Dumped {
  readonly snapshot: Snapshot;
  readonly latest: Snapshot['sequences'];
  readonly seen: string;
  readonly uncompared: readonly string[];
}

/** Counts and hashes the source in the very snapshot that pg_dump reads, while pg_dump reads it. */
async function dumpInSnapshot(work: Work, { format, jobs }: BackupSpec, own: string): Promise<Dumped> {
  return withSession(work.url, work.tag, async (session) => {
    await session.query('begin isolation level repeatable read read only');
    const [exported] = await session.query<{ id: string; seen: string }>(
      'select pg_export_snapshot() as id, pg_current_snapshot()::text as seen',
    );
    const compress = await compression(work, own);
    const argv = [
      'pg_dump',
      `--format=${format}`,
      ...(jobs === undefined ? [] : [`--jobs=${jobs}`]),
      `--compress=${compress}`,
      '--no-password',
      `--snapshot=${exported?.id}`,
      '--exclude-schema=soakgate',
      '--file',
      own,
    ];
    const dumping = work.runTool(argv);
    // It may fail while something else is waited for; it is awaited in any case.
    dumping.catch(() => undefined);
    try {
      const earliest = await readSequences(session);
      const tables = await readTableMarks(session);
      const uncompared = await readUncompared(session);
      const counted = await readSession(work, session, exported!.id).catch(async (error: unknown) => {
        // What keeps the dump from being made is said first.
        await finished(dumping);
        throw error;
      });
      await finished(dumping);
      return {
        snapshot: { ...counted, sequences: earliest, tables },
        latest: await readSequences(session),
        seen: exported!.seen,
        uncompared,
      };
    } finally {
      await dumping.catch(() => undefined);
    }
  });
}

/** What this pg_dump can do. */
async function compression(work: Work, beside: string): Promise<string> {
  const file = `${beside}.try`;
  try {
    for (const compress of COMPRESSIONS) {
      const argv = ['pg_dump', '--format=custom', '--schema-only', '--no-password', `--compress=${compress}`];
      const tried = await work.runTool([...argv, '--file', file], { quiet: true });
      if (tried.exitCode === 0) return compress;
    }
    // None goes, so it is not the compression: the plainest one has PostgreSQL say what it is.
    return COMPRESSIONS.at(-1)!;
  } finally {
    await rm(file, { force: true });
  }
}

/** @throws StepFailure BACKUP_FAILED with what pg_dump says. */
async function finished(dumping: ReturnType<Work['runTool']>): Promise<void> {
  const result = await dumping;
  if (result.exitCode !== 0)
    fail(
      'BACKUP_FAILED',
      `pg_dump ended with ${result.exitCode ?? result.killedBy}`,
      tail(result.stderr, 4_000).split('\n'),
    );
}

/**
 * A sequence is outside every snapshot: the dump's value must lie between what was read before and after it.
 */
function aheadOf(latest: Snapshot['sequences'], restored: Snapshot['sequences']): readonly string[] {
  return Object.entries(restored).flatMap(([name, value]) =>
    BigInt(value) > BigInt(latest[name] ?? '0')
      ? [`sequence ${name} is ${value} in the copy, but was at most ${latest[name]}`]
      : [],
  );
}

function outcome({ dump, snapshot, notCompared }: Proof, how: string, spec: BackupSpec): StepResult {
  const rows = Object.values(snapshot.content).reduce((sum, table) => sum + table.rows, 0);
  const tables = Object.keys(snapshot.content).length;
  return {
    verdict: 'pass',
    summary:
      `proven by restore: ${count(tables, 'table')}, ${count(rows, 'row')}, ` +
      `${count(Object.keys(snapshot.catalog).length, 'object')} equal` +
      `${spec.owners === false ? ', without owners and privileges' : ''} (${how})`,
    details: [
      'compared exactly in the snapshot that was dumped, but for sequences, which a snapshot does not hold',
      ...notCompared,
    ],
    figures: { tables, rows, bytes: dump.size },
    artifacts: [dump],
  };
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
