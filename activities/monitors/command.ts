// A command of the release that prints JSON; `since` hands it the time of the last sample.
import { observeTag } from '../../src/core/ids.ts';
import { tail } from '../../src/io/redact.ts';
import { parseJson } from '../checks/command.ts';
import { documentReader } from './reader.ts';

const TIMEOUT_MS = 120_000;

export const readCommand = documentReader<'command'>(async (work, { read, since }) => {
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
      `${argv.join(' ')} ended with ${result.exitCode ?? result.killedBy}: ` +
        `${tail(result.stderr || result.stdout, 500)}`,
    );
  return document;
});
