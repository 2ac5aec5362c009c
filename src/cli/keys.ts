// Where a person's keys lie: one private file each in the person's own configuration folder.
import type { KeyObject } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { asUsage, messageOf } from '../client/problem.ts';
import { readPrivateKey } from '../io/trust.ts';

export function keyFolder(): string {
  return join(process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'soakgate', 'keys');
}

export const keyFile = (name: string): string => join(keyFolder(), `${name}.key`);

/** @throws Problem that names the file and how to make it. */
export async function readKey(person: string, file: string | undefined): Promise<KeyObject> {
  const path = file ?? keyFile(person);
  const found = readPrivateKey(path);
  const why = await found.then(() => '', messageOf);
  // What the message says to run is what helps.
  const next = why.includes('chmod')
    ? `chmod 600 ${path}, and again`
    : `soakgate key create ${person}, or name another file with --key`;
  return asUsage(() => found, next);
}
