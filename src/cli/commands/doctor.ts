// soakgate doctor: what is there, what is missing, and how to get it. Installs nothing.
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { messageOf } from '../../client/problem.ts';
import { exitCodes } from '../exit-codes.ts';
import { type Finding, installedParts } from '../installed-parts.ts';
import { keyFolder } from '../keys.ts';
import type { Does } from '../main.ts';
import { type OutputOption, withExamples, withOutput } from '../options.ts';
import { table } from '../render/table.ts';

export function register(command: Command, does: Does): void {
  withOutput(command);
  withExamples(command, [
    ['soakgate doctor', 'a table of parts, server, workers and keys; exit code 1 when something is missing'],
    ['soakgate doctor -o json', 'as JSON'],
  ]);
  command.action(
    does(async (terminal, options: OutputOption) => {
      const findings = [...(await partsHere()), ...(await temporalThere()), ...(await keysHere())];
      if (options.output === 'json') terminal.print(JSON.stringify(findings, null, 1));
      else {
        const rows = findings.map(({ part, state, what, remedy }) => [
          state === 'there'
            ? ({ text: '✓ found', tone: 'good' } as const)
            : state === 'missing'
              ? ({ text: '✗ missing', tone: 'bad' } as const)
              : '· not yet',
          part,
          remedy ? `${what ? `${what}: ` : ''}${remedy}` : what,
        ]);
        terminal.print(table(rows, terminal.paint).join('\n'));
      }
      return findings.some(({ state }) => state === 'missing') ? exitCodes.failed : exitCodes.completed;
    }),
  );
}

interface InspectedPart {
  readonly part: string;
  readonly found: boolean;
  readonly version: string;
  readonly path: string;
  readonly remedy: string;
}

/** The parts of a checkout. An installed package has no scripts folder, so it is looked for by its place. */
async function partsHere(): Promise<readonly Finding[]> {
  const place = new URL('../../../scripts/parts/index.mjs', import.meta.url);
  if (!existsSync(fileURLToPath(place))) return installedParts(process.env);
  const { inspectParts } = (await import(place.href)) as {
    readonly inspectParts: (options: { tests: boolean }) => readonly InspectedPart[];
  };
  return inspectParts({ tests: true }).map(({ part, found, version, path, remedy }) => ({
    part,
    state: found ? 'there' : 'missing',
    what: found ? [version, path].filter(Boolean).join(', ') : '',
    remedy,
  }));
}

/** A server that nobody named may be absent: the demo brings its own. */
async function temporalThere(): Promise<readonly Finding[]> {
  const { connectClient } = await import('../../client/connection.ts');
  const { connectionNames } = await import('../../client/connection-names.ts');
  const { address, namespace } = connectionNames();
  const part = 'Temporal server';
  try {
    const connected = await connectClient({ waitMs: 2_000 });
    try {
      const { workersOf } = await import('../../client/workers.ts');
      const workers = await workersOf(connected);
      const control: Finding = {
        part: 'control worker',
        state: workers > 0 ? 'there' : 'not needed yet',
        what: workers > 0 ? `${workers} polling` : '',
        remedy: workers > 0 ? '' : 'before a start: soakgate worker control --help',
      };
      return [{ part, state: 'there', what: `${address}, namespace ${namespace}`, remedy: '' }, control];
    } finally {
      await connected.close();
    }
  } catch (error) {
    const named = process.env['TEMPORAL_ADDRESS'] !== undefined;
    return [
      {
        part,
        state: named ? 'missing' : 'not needed yet',
        what: messageOf(error),
        remedy: 'set TEMPORAL_ADDRESS, or temporal server start-dev',
      },
    ];
  }
}

async function keysHere(): Promise<readonly Finding[]> {
  const folder = keyFolder();
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.key'));
  if (names.length === 0)
    return [
      { part: 'keys', state: 'not needed yet', what: `none in ${folder}`, remedy: 'soakgate key create YOU' },
    ];
  return Promise.all(
    names.map(async (name): Promise<Finding> => {
      const path = join(folder, name);
      const open = ((await stat(path)).mode & 0o077) !== 0;
      return {
        part: `key ${name.replace(/\.key$/u, '')}`,
        state: open ? 'missing' : 'there',
        what: path,
        remedy: open ? `others may read it: chmod 600 ${path}` : '',
      };
    }),
  );
}
