// The ledger of a rollout on disk: a line for each entry, flushed before it counts.
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { LedgerEntry, LedgerLine } from '../core/ledger.ts';
import { readIfThere, syncFolder } from './files.ts';

/** All whole lines; half a line is what a full disk or a kill has cut off, and was never written. */
export async function readLedger(path: string): Promise<readonly LedgerEntry[]> {
  const text = (await readIfThere(path)) ?? '';
  return text.split('\n').flatMap((line) => parsed(line) ?? []);
}

/** On disk when it returns. A line begins with its break, so that half a line before it spoils no other. */
export async function appendLedger(path: string, line: LedgerLine): Promise<void> {
  const isNew = (await readIfThere(path)) === undefined;
  if (isNew) await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(path, 'a', 0o600);
  try {
    await file.appendFile(`\n${JSON.stringify({ ...line, at: Date.now() })}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  if (isNew) await syncFolder(dirname(path));
}

function parsed(line: string): LedgerEntry | null {
  try {
    return line === '' ? null : (JSON.parse(line) as LedgerEntry);
  } catch {
    return null;
  }
}
