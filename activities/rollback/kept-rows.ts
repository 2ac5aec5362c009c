// Rows that a fix has changed and that a rollback leaves so: each has a line in a file of the evidence.
import { mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { redact } from '../../src/io/redact.ts';
import { evidenceFolder } from '../frame/artifact-paths.ts';
import type { Work } from '../frame/step-context.ts';

/** Its name in the evidence. */
export const keptName = ({ rollout }: Pick<Work, 'rollout'>): string =>
  `after/${rollout.environment}/rows-that-stay-fixed.txt`;

/** Written anew by each comparison, a line at a time; without a line there is no file. */
export async function openKept(
  work: Work,
): Promise<{ write(line: string): Promise<void>; end(): Promise<void> }> {
  const path = await work.world.artifacts.path(
    `${evidenceFolder(work.rollout.deployment)}/${keptName(work)}`,
  );
  await mkdir(dirname(path), { recursive: true });
  await rm(path, { force: true });
  let lines: string[] = [];
  const flush = async () => {
    if (lines.length === 0) return;
    const file = await open(path, 'a', 0o600);
    await file.appendFile(redact(lines.join(''), work.secrets)).finally(() => file.close());
    lines = [];
  };
  return {
    write: async (line) => {
      lines.push(line);
      if (lines.length >= LINES_AT_ONCE) await flush();
    },
    end: flush,
  };
}

const LINES_AT_ONCE = 1_000;
