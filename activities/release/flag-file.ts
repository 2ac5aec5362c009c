// The flag file that closes a site: written whole, and never in the place of a file that is not ours.
import { constants } from 'node:fs';
import { lstat, mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fail } from '../../src/core/failures.ts';
import { writeWhole } from '../../src/io/files.ts';

const OURS = 'closed by soakgate for ';
const LONGEST = 400;

/**
 * Closes; what another deployment of ours has left closed is taken over. @throws StepFailure SERVICE_FAILED where
 * somebody else's file lies there.
 */
export async function raiseFlag(file: string, deployment: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await refuseForeign(file);
  // Whoever serves the site may read it.
  await writeWhole(file, `${OURS}${deployment}\n`, 0o644);
}

/** Opens. @throws StepFailure SERVICE_FAILED where somebody else's file lies there. */
export async function lowerFlag(file: string): Promise<void> {
  await refuseForeign(file);
  await rm(file, { force: true });
}

export async function isRaised(file: string): Promise<boolean> {
  return (await lstat(file).catch(() => null)) !== null;
}

async function refuseForeign(file: string): Promise<void> {
  const what = await lstat(file).catch(() => null);
  if (what === null || (what.isFile() && (await beginning(file)).startsWith(OURS))) return;
  fail(
    'SERVICE_FAILED',
    `the flag file ${file} is there and is not Soakgate's (${what.isFile() ? 'it says something else' : 'it is no file'}): ` +
      'remove it when the site may be open, or give the plan another flag-file',
  );
}

async function beginning(file: string): Promise<string> {
  const opened = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { buffer, bytesRead } = await opened.read(Buffer.alloc(LONGEST), 0, LONGEST, 0);
    return buffer.subarray(0, bytesRead).toString('utf8');
  } finally {
    await opened.close();
  }
}
