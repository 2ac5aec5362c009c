// soakgate validate: every complaint at once, with its place; with environment files also what their
// guardrails refuse. Offline.
import type { Command } from 'commander';
import { gateUnmeetable } from '../../core/unmeetable.ts';
import { guardrailComplaints } from '../../core/guardrails.ts';
import { placeComplaints } from '../../core/places.ts';
import type { Pace } from '../../core/pace.ts';
import type { Complaint } from '../../core/plan/complaint.ts';
import { parsePlan, renderComplaint } from '../../core/plan/parse.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { readSource } from '../../core/plan/source.ts';
import { compileSteps } from '../../core/compile.ts';
import type { StepList } from '../../core/step-list.ts';
import { asUsage } from '../../client/problem.ts';
import { readEnvironmentFile } from '../../io/settings.ts';
import { count } from '../../core/count.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Does } from '../main.ts';
import { gather, type OutputOption, paceOption, withExamples, withOutput } from '../options.ts';
import { readText, withSecrets } from '../plan-file.ts';

interface Options extends OutputOption {
  readonly environmentFile?: readonly string[];
  readonly pace?: Pace;
}

export function register(command: Command, does: Does): void {
  command
    .argument('<plan>', 'plan file')
    .option(
      '--environment-file <file>',
      'also check the plan against the guardrails of this environment (repeatable)',
      gather,
    );
  withOutput(paceOption(command));
  withExamples(command, [
    ['soakgate validate soakgate.yaml', 'every error as file:line:column; exit code 2 if there are errors'],
    ['soakgate validate soakgate.yaml --environment-file env/staging.yaml', 'also what staging would refuse'],
    ['soakgate validate soakgate.yaml -o json', 'the same as JSON'],
  ]);
  command.action(
    does(async (terminal, file: string, options: Options) => {
      const text = await readText(file);
      const parsed = parsePlan(text, file);
      const found =
        'plan' in parsed
          ? await guardrailsOf(parsed.plan, text, file, options.environmentFile ?? [], options.pace ?? null)
          : parsed.complaints;
      const complaints = await withSecrets(text, file, found);
      if (options.output === 'json')
        terminal.print(JSON.stringify({ file, valid: complaints.length === 0, complaints }, null, 1));
      else if (complaints.length > 0) terminal.print(complaints.map(renderComplaint).join('\n'));
      else if ('plan' in parsed) terminal.print(summaryOf(file, parsed.plan, options.environmentFile ?? []));
      return complaints.length > 0 ? exitCodes.usage : exitCodes.completed;
    }),
  );
}

function summaryOf(file: string, plan: Plan, environmentFiles: readonly string[]): string {
  const places = plan.environments.map(({ name }) => name).join(' → ');
  const guardrails =
    environmentFiles.length > 0
      ? `; meets the guardrails of ${count(environmentFiles.length, 'environment')}`
      : '';
  return `${file} is valid: ${plan.service}, ${count(plan.steps.length, 'step')}, ${places}${guardrails}`;
}

/** Nothing is changed here before the worker of the environment before has signed its end. */
function unbelieved(
  { environments: places }: Plan,
  { environment: { name: environment } }: StepList,
  known: Readonly<Record<string, string>>,
  file: string,
): readonly string[] {
  const before = places[places.findIndex(({ name }) => name === environment) - 1]?.name;
  if (before === undefined || Object.hasOwn(known, before)) return [];
  return [
    `nothing is changed before the worker of ${before} has signed its end, and ${file} names no key of it: add under environments: ` +
      `${before}: { key: … }, as soakgate key show ${before} --worker prints it`,
  ];
}

/** Looser than a guardrails: placed where the plan names that environment. */
async function guardrailsOf(
  plan: Plan,
  text: string,
  file: string,
  environmentFiles: readonly string[],
  pace: Pace | null,
): Promise<readonly Complaint[]> {
  const source = readSource(text);
  const listOf = (environment: string) =>
    compileSteps({ plan, environment, commit: plan.release.ref, files: {}, pace });
  const complaints = environmentFiles.map(async (environmentFile): Promise<readonly Complaint[]> => {
    const settings = await asUsage(
      () => readEnvironmentFile(environmentFile),
      'correct the environment file',
    );
    const { environment, guardrails, services, environments } = settings;
    const known = plan.environments.some(({ name }) => name === environment);
    const path = known ? ['environments', environment] : ['environments'];
    const found = known
      ? [
          ...(Object.hasOwn(services, plan.service)
            ? []
            : [`${environmentFile} has no service ${plan.service}: add it under services`]),
          ...unbelieved(plan, listOf(environment), environments, environmentFile),
          ...gateUnmeetable(listOf(environment).gate?.approved?.roles ?? [], settings),
          ...guardrailComplaints(listOf(environment), guardrails),
          ...(services[plan.service]
            ? placeComplaints(listOf(environment), services[plan.service]!, guardrails.files ?? [])
            : []),
        ]
      : [`there is no environment ${environment}`];
    const place = { file, ...source.position(source.offsetOf(path, 'key')), path: path.join('.') };
    return found.map((message) => ({ ...place, message, hint: `guardrails of ${environmentFile}` }));
  });
  return (await Promise.all(complaints)).flat();
}
