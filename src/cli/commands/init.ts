// soakgate init: the first plan of a folder, made from what lies in it. Never overwrites.
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { Problem } from '../../client/problem.ts';
import { parsePlan, renderComplaint } from '../../core/plan/parse.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Found } from '../init/found.ts';
import { lookAround, readFolder } from '../init/look.ts';
import { planText } from '../init/plan-text.ts';
import type { Does } from '../main.ts';
import { type OutputOption, withExamples, withOutput } from '../options.ts';
import type { Terminal } from '../terminal.ts';

interface Options extends OutputOption {
  readonly unit?: readonly string[];
  readonly print?: boolean;
}

const NAME = 'soakgate.yaml';
/** In an installed package, and where `soakgate schema` is told to put it otherwise. */
const INSTALLED_SCHEMA = 'node_modules/soakgate/schema.json';
const OWN_SCHEMA = 'soakgate.schema.json';

export function register(command: Command, does: Does): void {
  command
    .argument('[folder]', 'folder of your application', '.')
    .option('--unit <unit>', 'systemd unit to restart (repeatable)', readUnit)
    .option('--print', 'print the plan, write nothing');
  withOutput(command);
  withExamples(command, [
    ['soakgate init', `write ${NAME} here, from manage.py, numbered SQL files, lock files and tags of git`],
    ['soakgate init backend --unit gunicorn --unit nginx', 'with the units that a release restarts'],
    ['soakgate init --print | soakgate validate /dev/stdin', 'check it before writing it'],
  ]);
  command.action(
    does(async (terminal, folder: string, options: Options) => {
      const file = join(folder, NAME);
      if (!options.print) refuseToOverwrite(folder);
      const found = lookAround(await readFolder(folder), options.unit ?? []);
      const text = checked(planText(found, `./${schemaIn(folder)}`));
      if (!options.print) await write(file, text);
      tell(terminal, { folder, file, found, text }, options);
      return exitCodes.completed;
    }),
  );
}

function readUnit(unit: string, before: readonly string[] = []): readonly string[] {
  if (!/^[A-Za-z0-9][\w@:.-]*$/u.test(unit))
    throw new InvalidArgumentError('write the name of a unit, like gunicorn or web@1.service.');
  return [...before, unit];
}

function refuseToOverwrite(folder: string): void {
  const there = [NAME, 'soakgate.yml'].map((name) => join(folder, name)).find((file) => existsSync(file));
  if (there) throw conflict(there, folder);
}

const conflict = (file: string, folder: string): Problem =>
  new Problem(
    'conflict',
    `${file} already exists and was not overwritten`,
    `soakgate validate ${file}; or, to compare: soakgate init ${folder} --print`,
  );

/** What does not validate is a fault of ours, and is not written. */
function checked(text: string): string {
  const parsed = parsePlan(text, NAME);
  if ('complaints' in parsed)
    throw new Error(`the generated plan is not valid:\n${parsed.complaints.map(renderComplaint).join('\n')}`);
  return text;
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx' });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw conflict(file, join(file, '..'));
    throw new Problem('usage', `${file} cannot be written: ${message}`, 'soakgate init --print > FILE');
  }
}

interface Made {
  readonly folder: string;
  readonly file: string;
  readonly found: Found;
  readonly text: string;
}

function tell(terminal: Terminal, { folder, file, found, text }: Made, { print, output }: Options): void {
  const next = [...(print ? [`soakgate init ${folder}   # writes it`] : []), ...nextCommands(folder, file)];
  if (output === 'json')
    terminal.print(JSON.stringify({ file, written: !print, found, next, ...(print && { text }) }, null, 1));
  else terminal.print(print ? text.trimEnd() : file);
  for (const line of summary(found)) terminal.say(`found: ${line}`);
  for (const note of found.notes) terminal.say(`note: ${note}`);
  if (!print) for (const line of next) terminal.say(`next: ${line}`);
}

function summary({ service, ref, before, migrations, build, services }: Found): readonly string[] {
  const pending = migrations?.fresh
    ? `${migrations.fresh.length} new since ${before}`
    : 'no pending migrations declared: no earlier git tag shows which are new';
  return [
    `service ${service}${ref === null ? '' : `, ref ${ref}`}`,
    ...(migrations
      ? [`${migrations.tool.key} migrations at ${migrations.at}: ${migrations.all.length}, ${pending}`]
      : ['no migrations: a release of code']),
    ...(build ? [`lock file ${build.lock}`] : []),
    ...services.map(
      ({ name, unit, command }) =>
        `${name}: ${unit === undefined ? (command ?? []).join(' ') : `unit ${unit}`}`,
    ),
  ];
}

const schemaIn = (folder: string): string =>
  existsSync(join(folder, INSTALLED_SCHEMA)) ? INSTALLED_SCHEMA : OWN_SCHEMA;

function nextCommands(folder: string, file: string): readonly string[] {
  const schema = join(folder, schemaIn(folder));
  return [
    `grep -n CHANGE ${file}   # what waits for you`,
    ...(existsSync(schema) ? [] : [`soakgate schema > ${schema}   # for your editor`]),
    `soakgate validate ${file}`,
    `soakgate plan ${file}`,
    `soakgate start ${file} --as YOU   # once the workers run: docs/operations.md`,
  ];
}
