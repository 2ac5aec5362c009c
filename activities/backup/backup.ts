// backup: dumped in an exported snapshot, hashed, restored into a scratch database, compared (rule 2).
import { count } from '../../src/core/count.ts';
import type { BackupSpec } from '../../src/core/plan/steps/backup.ts';
import { rm } from 'node:fs/promises';
import { fail } from '../../src/core/failures.ts';
import { scratchDatabase } from '../../src/core/ids.ts';
import type { ArtifactRef } from '../../src/core/receipts.ts';
import { compareSnapshots, describeDifference, type Snapshot } from '../../src/core/snapshot.ts';
import { withDatabase, withSession } from '../../src/io/postgres.ts';
import { hashTree, ifAbsent } from '../../src/io/files.ts';
import { tail } from '../../src/io/redact.ts';
import { readSequences, readSnapshot } from '../../src/io/snapshot.ts';
import type { StepResult } from '../frame/receipt.ts';
import { PROOF_NOTE } from '../frame/under-lock.ts';
import { recreateFrom } from './scratch.ts';
import { rolloutFolder } from '../frame/artifact-paths.ts';
import type { Work } from '../frame/step-context.ts';
import { noteWritesAtBackup } from '../frame/write-counts.ts';

export interface Proof {
  readonly dump: ArtifactRef;
  readonly snapshot: Snapshot;
}

/** The note that a backup was proven: what and, by this worker's clock, when (RFC 3339). */
export interface Proven {
  readonly dump: ArtifactRef;
  readonly at: string;
}

export const dumpName = (work: Work): string => `${rolloutFolder(work.rollout)}/backup.dump`;
const COMPRESSED_BEST = 16;

export async function backup(work: Work, spec: BackupSpec): Promise<StepResult> {
  const earlier = await earlierProof(work);
  if (earlier) return outcome(earlier, 'proven by an earlier attempt');
  await noteWritesAtBackup(work);
  const started = performance.now();
  const { snapshot, dump, latest } = await dumpInSnapshot(work, spec);
  const dumped = performance.now();
  const scratch = scratchDatabase(work.rollout);
  work.progress('restoring into a scratch database');
  await recreateFrom(work, scratch, dumpName(work));
  work.progress('comparing');
  const restored = await withSession(withDatabase(work.url, scratch), work.tag, readSnapshot);
  const differences = [
    ...compareSnapshots(snapshot, restored).map(describeDifference),
    ...aheadOf(latest, restored.sequences),
  ];
  if (differences.length > 0)
    fail('RESTORE_FAILED', 'the restored copy is not what was dumped', differences.slice(0, 20));
  const again = await hashTree(await work.world.artifacts.path(dumpName(work)));
  if (again.sha256 !== dump.sha256)
    fail('BACKUP_FAILED', 'the dump changed on disk while it was being proven');
  const proof: Proof = { dump, snapshot };
  await work.world.artifacts.put(`${rolloutFolder(work.rollout)}/recorded.json`, JSON.stringify(snapshot));
  await work.world.permitStore.noteOnce(
    work.rollout,
    PROOF_NOTE,
    JSON.stringify({ dump, at: new Date().toISOString() } satisfies Proven),
  );
  return outcome(proof, `dump ${seconds(dumped - started)}, proof ${seconds(performance.now() - dumped)}`);
}

/** What the database was when it was dumped. */
export async function recordedSnapshot(work: Pick<Work, 'world' | 'rollout'>): Promise<Snapshot | undefined> {
  const text = await work.world.artifacts
    .read(`${rolloutFolder(work.rollout)}/recorded.json`)
    .catch(ifAbsent(undefined));
  return text === undefined ? undefined : (JSON.parse(text) as Snapshot);
}

/** A finished attempt whose answer was lost: trusted only if the dump on disk is still the proven one. */
async function earlierProof(work: Work): Promise<Proof | undefined> {
  const note = await work.world.permitStore.note(work.rollout, PROOF_NOTE);
  const snapshot = await recordedSnapshot(work);
  if (note === undefined || !snapshot) return undefined;
  const { dump } = JSON.parse(note) as Proven;
  const now = await hashTree(await work.world.artifacts.path(dump.name)).catch(() => undefined);
  if (now?.sha256 !== dump.sha256) fail('BACKUP_FAILED', 'the proven dump is no longer what it was');
  return { dump, snapshot };
}

/** Counts and hashes the source in the very snapshot that pg_dump reads, while pg_dump reads it. */
async function dumpInSnapshot(
  work: Work,
  { format, jobs }: BackupSpec,
): Promise<{ snapshot: Snapshot; dump: ArtifactRef; latest: Snapshot['sequences'] }> {
  return withSession(work.url, work.tag, async (session) => {
    await session.query('begin isolation level repeatable read read only');
    const [exported] = await session.query<{ id: string; version: number }>(
      "select pg_export_snapshot() as id, current_setting('server_version_num')::int / 10000 as version",
    );
    const beside = `${await work.world.artifacts.path(dumpName(work))}.${work.tag.split(':').at(-1)}.tmp`;
    const compress = (exported?.version ?? 0) >= COMPRESSED_BEST ? ['--compress=zstd:3'] : ['--compress=3'];
    const argv = [
      'pg_dump',
      `--format=${format}`,
      ...(jobs === undefined ? [] : [`--jobs=${jobs}`]),
      ...compress,
      '--no-password',
      `--snapshot=${exported?.id}`,
      '--exclude-schema=soakgate',
      '--file',
      beside,
    ];
    const dumping = work.runTool(argv);
    // It may fail while something else is waited for; it is awaited in any case.
    dumping.catch(() => undefined);
    try {
      const earliest = await readSequences(session);
      const counted = await readSnapshot(session, { onTable: (table) => work.progress(`counting ${table}`) });
      const result = await dumping;
      if (result.exitCode !== 0)
        fail(
          'BACKUP_FAILED',
          `pg_dump ended with ${result.exitCode ?? result.killedBy}`,
          tail(result.stderr, 4_000).split('\n'),
        );
      return {
        snapshot: { ...counted, sequences: earliest },
        latest: await readSequences(session),
        dump: await work.world.artifacts.adopt(dumpName(work), beside),
      };
    } finally {
      await dumping.catch(() => undefined);
      await rm(beside, { recursive: true, force: true });
    }
  });
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

function outcome({ dump, snapshot }: Proof, how: string): StepResult {
  const rows = Object.values(snapshot.content).reduce((sum, table) => sum + table.rows, 0);
  const tables = Object.keys(snapshot.content).length;
  return {
    verdict: 'pass',
    summary:
      `proven by restore: ${count(tables, 'table')}, ${count(rows, 'row')}, ` +
      `${count(Object.keys(snapshot.catalog).length, 'object')} equal (${how})`,
    details: [
      'compared exactly in the snapshot that was dumped, but for sequences, which a snapshot does not hold',
    ],
    figures: { tables, rows, bytes: dump.size },
    artifacts: [dump],
  };
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
