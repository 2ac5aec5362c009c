// What the environments' workers wrote into the evidence as it happened, read back when it is closed.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FoundBy, Latencies, PlaceRecord } from '../../src/core/evidence-delta.ts';
import type { VerifiedMessage } from '../../src/core/messages.ts';
import type { Snapshot } from '../../src/core/snapshot.ts';
import { startSigners } from '../frame/artifact-paths.ts';
import { ifAbsent } from '../../src/io/files.ts';
import { NotAFile, readRegular } from '../../src/io/regular-file.ts';

/** All about one environment that lies in the folder of the evidence. */
export async function readPlace(folder: string, environment: string): Promise<PlaceRecord> {
  const json = async <T>(path: string): Promise<T | null> => jsonOf<T>(await readOrNull(join(folder, path)));
  return {
    baseline: await json<Snapshot>(`baseline/${environment}/database.json`),
    after: await json<Snapshot>(`after/${environment}/database.json`),
    http: {
      baseline: await json<Latencies>(`baseline/${environment}/http.json`),
      after: await json<Latencies>(`after/${environment}/http.json`),
    },
    findings: {
      baseline: await readAll<FoundBy>(join(folder, `baseline/${environment}/findings`)),
      after: await readAll<FoundBy>(join(folder, `after/${environment}/findings`)),
    },
    startSigners: (await json<PlaceRecord['startSigners']>(startSigners(environment))) ?? [],
    observed:
      (await readObserved(folder, environment, 'soak')) ?? (await readObserved(folder, environment, 'watch')),
  };
}

/** A signed message as the place that verified it wrote it down, and where. */
export interface Filed {
  /** Below the folder of the package. */
  readonly file: string;
  readonly record: VerifiedMessage & { readonly why?: string };
}

/** Every signed message below `approvals` or `refused`; what is there and is none is named. */
export async function readFiled(
  folder: string,
  below: 'approvals' | 'refused',
): Promise<{ readonly filed: readonly Filed[]; readonly odd: readonly string[] }> {
  const places = await readdir(join(folder, below), { withFileTypes: true }).catch(ifAbsent([]));
  const filed: Filed[] = [];
  const odd: string[] = [];
  for (const place of places.filter((entry) => entry.isDirectory()).map(({ name }) => `${below}/${name}`)) {
    for (const name of (await readdir(join(folder, place))).filter((file) => file.endsWith('.json')).sort()) {
      const file = `${place}/${name}`;
      const record = jsonOf<Filed['record']>(await readOrNull(join(folder, file)));
      if (typeof record?.signed?.message === 'string') filed.push({ file, record });
      else if (name !== 'gate-report.json') odd.push(file);
    }
  }
  return { filed, odd };
}

async function readAll<T>(folder: string): Promise<readonly T[]> {
  const names = await readdir(folder).catch(ifAbsent([] as string[]));
  const wanted = names.filter((name) => name.endsWith('.json')).sort();
  const read = await Promise.all(wanted.map(async (name) => jsonOf<T>(await readOrNull(join(folder, name)))));
  return read.flatMap((value) => (value === null ? [] : [value]));
}

const LARGEST = 256_000_000;

/** Null for a link, a pipe or a folder: the seal names it, and nothing waits for it. */
async function readOrNull(path: string): Promise<string | null> {
  try {
    return (await readRegular(path, { most: LARGEST })) ?? null;
  } catch (error) {
    if (error instanceof NotAFile) return null;
    throw error;
  }
}

function jsonOf<T>(text: string | null): T | null {
  try {
    return text === null ? null : (JSON.parse(text) as T);
  } catch {
    return null;
  }
}

/** The last line may be half-written by a killed worker. */
async function readObserved(
  folder: string,
  environment: string,
  phase: string,
): Promise<PlaceRecord['observed']> {
  const text = (await readOrNull(join(folder, `logs/${environment}/${phase}-metrics.jsonl`))) ?? '';
  const times = text.split('\n').flatMap((line) => {
    const found = /^\{"at":(\d+),/u.exec(line)?.[1];
    return found === undefined ? [] : [Number(found)];
  });
  if (times.length === 0) return null;
  return { phase, metrics: times.length, realMs: Math.max(...times) - Math.min(...times) };
}
