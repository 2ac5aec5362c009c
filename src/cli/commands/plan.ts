// soakgate plan: what would be done, what each step may change, and every rollback. Touches nothing.
import type { Command } from 'commander';
import { asUsage, Problem } from '../../client/problem.ts';
import type { Pace } from '../../core/pace.ts';
import { planFiles } from '../../core/plan/files.ts';
import { aboutLines } from '../../core/plan/about.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { compileSteps } from '../../core/compile.ts';
import type { StepList } from '../../core/step-list.ts';
import { sha256 } from '../../io/files.ts';
import { pinCommit, readAtCommit } from '../../io/repository.ts';
import { hashJson } from '../../io/trust.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Does } from '../main.ts';
import { type OutputOption, paceOption, withExamples, withOutput } from '../options.ts';
import { readPlanFile } from '../plan-file.ts';
import { renderList } from '../render/plan.ts';
import type { Terminal } from '../terminal.ts';

interface Options extends OutputOption {
  readonly environment?: string;
  readonly repository?: string;
  readonly pace?: Pace;
}

export function register(command: Command, does: Does): void {
  command
    .argument('<plan>', 'plan file')
    .option('--environment <name>', 'only this environment')
    .option(
      '--repository <dir>',
      'git repository that resolves release.ref; the hashes are then those that soakgate start would sign',
    );
  withOutput(paceOption(command));
  withExamples(command, [
    ['soakgate plan soakgate.yaml', 'steps, gates and fallbacks of every environment'],
    ['soakgate plan soakgate.yaml --environment production', 'for production only'],
    [
      'soakgate plan soakgate.yaml --repository . -o json',
      'the compiled lists and the hashes that a start signs',
    ],
  ]);
  command.action(does((terminal, file: string, options: Options) => showPlan(terminal, file, options)));
}

async function showPlan(terminal: Terminal, file: string, options: Options): Promise<number> {
  const { plan } = await readPlanFile(file);
  const names = plan.environments.map(({ name }) => name);
  if (options.environment !== undefined && !names.includes(options.environment))
    throw new Problem(
      'usage',
      `the plan has no environment ${options.environment}`,
      `it has: ${names.join(', ')}`,
    );
  const pinned =
    options.repository === undefined
      ? null
      : await asUsage(() => pin(plan, options.repository!), 'name another --repository');
  const lists = names
    .filter((name) => options.environment === undefined || name === options.environment)
    .map((environment) =>
      compileSteps({
        plan,
        environment,
        commit: pinned?.commit ?? plan.release.ref,
        files: pinned?.files ?? {},
        pace: options.pace ?? null,
      }),
    );
  if (options.output === 'json')
    terminal.print(JSON.stringify(asJson(plan, lists, pinned !== null), null, 1));
  else {
    const commit = pinned ? ` at commit ${pinned.commit}` : '';
    const title = terminal.paint('strong', `${plan.service}: ${plan.summary}`);
    const lines = lists.flatMap((list) => {
      const written = plan.environments.find(({ name }) => name === list.environment.name)!;
      return ['', ...renderList({ list, written }, terminal.paint)];
    });
    terminal.print(
      [title, `a release of ${plan.kind}, ${plan.release.ref}${commit}`, ...aboutLines(plan), ...lines].join(
        '\n',
      ),
    );
  }
  return exitCodes.completed;
}

async function pin(
  plan: Plan,
  repository: string,
): Promise<{ commit: string; files: Readonly<Record<string, string>> }> {
  const commit = await pinCommit(repository, plan.release.ref);
  const hashed = planFiles(plan).map(
    async (path) => [path, sha256(await readAtCommit(repository, commit, path))] as const,
  );
  return { commit, files: Object.fromEntries(await Promise.all(hashed)) };
}

/** Without a pinned commit a list's hash would be nobody's, so it is null. */
function asJson(plan: Plan, lists: readonly StepList[], pinned: boolean) {
  return {
    service: plan.service,
    plan: hashJson(plan),
    pinned,
    environments: lists.map((list) => ({
      environment: list.environment.name,
      hash: pinned ? hashJson(list) : null,
      list,
    })),
  };
}
