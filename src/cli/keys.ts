// Where a person's keys lie: one private file each in the person's own configuration folder.
import type { KeyObject } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { asUsage } from '../client/problem.ts';
import { readPrivateKey } from '../io/trust.ts';

export function keyFolder(): string {
  return join(process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'soakgate', 'keys');
}

export const keyFile = (name: string): string => join(keyFolder(), `${name}.key`);

/** @throws Problem that names the file and how to make it. */
export async function readKey(person: string, file: string | undefined): Promise<KeyObject> {
  const path = file ?? keyFile(person);
  return asUsage(
    () => readPrivateKey(path),
    `soakgate key create ${person}, or name another file with --key`,
  );
}
