// A command of the release that prints JSON; `since` hands it the time of the last sample.
import type { Json } from '../../src/core/plan/plan.ts';
import { observeTag } from '../../src/core/names.ts';
import { tail } from '../../src/io/redact.ts';
import { parseJson } from '../checks/command.ts';
import type { Work } from '../work.ts';

const TIMEOUT_MS = 120_000;

export async function readCommand(
  work: Work,
  read: { readonly command: readonly string[]; readonly since?: string },
  since: string | undefined,
): Promise<Json> {
  const argv =
    read.since !== undefined && since !== undefined ? [...read.command, read.since, since] : read.command;
  const result = await work.runRelease(argv, {
    readOnly: true,
    timeoutMs: TIMEOUT_MS,
    env: { PGAPPNAME: observeTag(work.rollout) },
    quiet: true,
  });
  const document = parseJson(result.stdout);
  if (result.exitCode !== 0 || document === undefined)
    throw new Error(
      `${argv.join(' ')} ended with ${result.exitCode ?? result.killedBy}: ${tail(result.stderr || result.stdout, 500)}`,
    );
  return document;
}
