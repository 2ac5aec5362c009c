// What the environments' workers wrote into the evidence as it happened, read back when it is closed.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FoundBy, Latencies, PlaceRecord } from '../../src/core/evidence-delta.ts';
import type { VerifiedMessage } from '../../src/core/messages.ts';
import type { Snapshot } from '../../src/core/snapshot.ts';
import { startSigners } from '../frame/artifact-paths.ts';
import { readIfThere, ifAbsent } from '../../src/io/files.ts';

/** All about one environment that lies in the folder of the evidence. */
export async function readPlace(folder: string, environment: string): Promise<PlaceRecord> {
  const json = async <T>(path: string): Promise<T | null> => {
    const text = await readIfThere(join(folder, path));
    return text === undefined ? null : (JSON.parse(text) as T);
  };
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

/** Every signed message that counted, as the place that verified it wrote it down. */
export async function readDecided(folder: string): Promise<readonly VerifiedMessage[]> {
  const places = await readdir(join(folder, 'approvals'), { withFileTypes: true }).catch(ifAbsent([]));
  const lists = await Promise.all(
    places
      .filter((entry) => entry.isDirectory())
      .map((entry) => readAll<VerifiedMessage>(join(folder, 'approvals', entry.name))),
  );
  return lists.flat().filter((entry) => typeof entry.signed?.message === 'string');
}

async function readAll<T>(folder: string): Promise<readonly T[]> {
  const names = await readdir(folder).catch(ifAbsent([] as string[]));
  const wanted = names.filter((name) => name.endsWith('.json')).sort();
  return Promise.all(wanted.map(async (name) => JSON.parse(await readFile(join(folder, name), 'utf8')) as T));
}

/** The last line may be half-written by a killed worker. */
async function readObserved(
  folder: string,
  environment: string,
  phase: string,
): Promise<PlaceRecord['observed']> {
  const text = (await readIfThere(join(folder, `logs/${environment}/${phase}-metrics.jsonl`))) ?? '';
  const times = text.split('\n').flatMap((line) => {
    const found = /^\{"at":(\d+),/u.exec(line)?.[1];
    return found === undefined ? [] : [Number(found)];
  });
  if (times.length === 0) return null;
  return { phase, metrics: times.length, realMs: Math.max(...times) - Math.min(...times) };
}
