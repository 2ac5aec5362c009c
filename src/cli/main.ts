// The list of commands. Each module is imported when it is called, so that `soakgate --help` answers at once.
import { Command, CommanderError } from 'commander';
import { Problem } from '../client/problem.ts';
import { ownVersion } from '../io/version.ts';
import { exitCodes, exitCodeText, exitOfProblem } from './exit-codes.ts';
import type { ServerOption } from './options.ts';
import { openTerminal, type Terminal } from './terminal.ts';

/** Wraps the work of a command as a commander action; the number is the exit code. */
export type Does = <Args extends unknown[]>(
  work: (terminal: Terminal, ...args: Args) => Promise<number>,
) => (...args: Args) => Promise<void>;

/** Gives a command its arguments, options, examples and work. */
export type Register = (command: Command, does: Does) => void;

interface Entry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<{ readonly register: Register }>;
}

/** All commands, in the order of a deployment's life. */
export const entries: readonly Entry[] = [
  {
    name: 'init',
    summary: 'Write a first plan from the files of a folder',
    load: () => import('./commands/init.ts'),
  },
  {
    name: 'validate',
    summary: 'Check a plan and name every error in it',
    load: () => import('./commands/validate.ts'),
  },
  {
    name: 'schema',
    summary: 'Print the JSON Schema of a plan, for editors',
    load: () => import('./commands/schema.ts'),
  },
  {
    name: 'plan',
    summary: 'Show the steps of a plan and every rollback path',
    load: () => import('./commands/plan.ts'),
  },
  { name: 'start', summary: 'Start a deployment, signed by you', load: () => import('./commands/start.ts') },
  {
    name: 'sign',
    summary: 'Add your signature to a start before it is sent',
    load: () => import('./commands/sign.ts'),
  },
  {
    name: 'list',
    summary: 'List deployments and what they wait for',
    load: () => import('./commands/list.ts'),
  },
  {
    name: 'status',
    summary: 'Show the state of a deployment and the next command',
    load: () => import('./commands/status.ts'),
  },
  {
    name: 'approve',
    summary: 'Approve the deployment to an environment',
    load: () => import('./commands/approve.ts'),
  },
  {
    name: 'reject',
    summary: 'Reject the deployment to an environment',
    load: () => import('./commands/reject.ts'),
  },
  {
    name: 'attest',
    summary: 'Sign a statement that the plan asks for',
    load: () => import('./commands/attest.ts'),
  },
  {
    name: 'decide',
    summary: 'Answer an open question of a deployment',
    load: () => import('./commands/decide.ts'),
  },
  {
    name: 'abort',
    summary: 'Stop and undo every change in an environment',
    load: () => import('./commands/abort.ts'),
  },
  {
    name: 'rollback',
    summary: 'Roll back by a fallback of the plan',
    load: () => import('./commands/rollback.ts'),
  },
  {
    name: 'recover',
    summary: 'Undo a deployment that was terminated in Temporal',
    load: () => import('./commands/recover.ts'),
  },
  {
    name: 'release',
    summary: 'Free an environment that a run holds which has opened nothing',
    load: () => import('./commands/release.ts'),
  },
  {
    name: 'replay-check',
    summary: 'Check whether this version can take over running deployments',
    load: () => import('./commands/replay-check.ts'),
  },
  {
    name: 'check-now',
    summary: 'Run all checks of the monitors now',
    load: () => import('./commands/check-now.ts'),
  },
  { name: 'pause', summary: 'Pause before the next step', load: () => import('./commands/pause.ts') },
  { name: 'resume', summary: 'Continue after a pause', load: () => import('./commands/resume.ts') },
  { name: 'extend-soak', summary: 'Extend a soak', load: () => import('./commands/extend-soak.ts') },
  {
    name: 'stop-checks',
    summary: 'Stop the post-deployment checks',
    load: () => import('./commands/stop-checks.ts'),
  },
  {
    name: 'evidence',
    summary: 'Show or verify the evidence of a deployment',
    load: () => import('./commands/evidence.ts'),
  },
  { name: 'key', summary: 'Create or show a signing key', load: () => import('./commands/key.ts') },
  {
    name: 'server',
    summary: 'Run the HTTP server, for CI and for --server',
    load: () => import('./commands/server.ts'),
  },
  {
    name: 'worker',
    summary: 'Run the control worker, or the worker of one environment',
    load: () => import('./commands/worker.ts'),
  },
  {
    name: 'doctor',
    summary: 'Show what this machine has, what is missing and how to get it',
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'demo',
    summary: 'Run the demonstration on this machine',
    load: () => import('./commands/demo.ts'),
  },
];

const INTRODUCTION =
  'Rolls out database changes durably: backup, migrate, verify, soak, approve, production, or roll back.';

/** Runs one command. The result is the exit code; nothing is thrown. */
export async function main(argv: readonly string[]): Promise<number> {
  const terminal = openTerminal();
  const leave = () => {
    if (terminal.leaving === null) return;
    terminal.say(`\n${terminal.leaving}`);
    process.exit(exitCodes.interrupted);
  };
  process.on('SIGINT', leave);
  // Whoever reads our output may leave early (`| head`).
  process.stdout.on('error', () => process.exit(exitCodes.completed));
  try {
    return await run(argv, terminal);
  } catch (error) {
    return explain(error, terminal);
  } finally {
    process.off('SIGINT', leave);
  }
}

async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  let code: number = exitCodes.completed;
  const does: Does =
    (work) =>
    async (...args) => {
      code = await work(terminal, ...args);
    };
  const program = new Command('soakgate');
  program
    .description(INTRODUCTION)
    .exitOverride()
    .enablePositionalOptions()
    .helpCommand('help [command]', 'show the help of a command');
  program.version(ownVersion(), '--version', 'print the version of soakgate');
  program.addHelpText('after', `\nEach command's --help has examples.\n${exitCodeText}`);
  program.showHelpAfterError('  next: run the command with --help to see its arguments and examples');
  // Before the command it is for whichever command follows.
  program.option('--server <url>', 'use this Soakgate server instead of a direct connection to Temporal');
  program.hook('preAction', (_, action) => handDown(program, action));
  const words = argv.filter((word, at) => !word.startsWith('-') && argv[at - 1] !== '--server');
  const wanted = words[0] === 'help' ? words[1] : words[0];
  for (const { name, summary, load } of entries) {
    const command = program.command(name).summary(summary).description(`${summary}.`);
    if (name === wanted) (await load()).register(command, does);
  }
  await program.parseAsync(argv, { from: 'user' });
  return code;
}

/** A command that does not speak with a server has no use for the option, and takes no harm from it. */
function handDown(program: Command, action: Command): void {
  const { server } = program.opts<ServerOption>();
  const own = action.options.some(({ long }) => long === '--server');
  if (server !== undefined && own && action.getOptionValueSource('server') !== 'cli')
    action.setOptionValueWithSource('server', server, 'cli');
}

function explain(error: unknown, terminal: Terminal): number {
  // commander has said it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.completed : exitCodes.usage;
  const bad = terminal.paintProgress('bad', 'soakgate:');
  if (error instanceof Problem) {
    const details =
      error.details.length > 0 ? `:\n${error.details.map((line) => `  ${line}`).join('\n')}` : '';
    terminal.say(`${bad} ${error.message}${details}${error.next ? `\n  next: ${error.next}` : ''}`);
    return exitOfProblem(error.kind);
  }
  const thrown = error instanceof Error ? error : new Error(String(error));
  terminal.say(`${bad} internal error: ${thrown.message}`);
  terminal.say(
    process.env['SOAKGATE_DEBUG']
      ? (thrown.stack ?? '')
      : '  next: run it again with SOAKGATE_DEBUG=1, and report the output',
  );
  return exitCodes.internal;
}
