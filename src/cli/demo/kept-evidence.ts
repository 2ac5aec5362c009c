// What stays of a demo: its evidence, and the public keys with which anybody can verify it.
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Scene } from './scene.ts';

/** The scene's folder goes; the evidence stays. */
export async function keepEvidence(
  { people, control, sites }: Scene,
  from: string,
  deployment: string,
): Promise<{ readonly folder: string; readonly keys: string }> {
  const kept = join(tmpdir(), 'soakgate-evidence');
  const folder = join(kept, deployment);
  await mkdir(folder, { recursive: true });
  await cp(from, folder, { recursive: true });
  const keys = join(kept, `${deployment}.keys.yaml`);
  const everybody = Object.values(people).map(({ name, publicText: key, roles }) => [name, { key, roles }]);
  const workers = Object.entries(sites).map(([name, { place }]) => [name, place.worker.publicText]);
  await writeFile(
    keys,
    stringify({
      'soakgate-trust': 1,
      control: control.publicText,
      workers: Object.fromEntries(workers),
      people: Object.fromEntries(everybody),
    }),
  );
  return { folder, keys };
}
