// What a person sees before signing a start.
import type { DeploymentInput } from '../../../workflows/contract.ts';
import { count } from '../../core/count.ts';
import { signersOf } from '../../core/start-signers.ts';
import { type Paint, visible } from '../terminal.ts';
import { at, took } from './words.ts';

/** `verified`: whether an environment file has named the keys of those who signed. */
export function renderStart(
  { start, runs }: DeploymentInput,
  verified: boolean,
  paint: Paint,
): readonly string[] {
  const { deployment, commit, plan, planFile, pace, expires } = start.body;
  const [first] = runs;
  const places = runs.map(({ list }) => {
    const steps = list.steps.map(({ name }) => name).join(', ');
    return `    ${visible(list.environment.name)}: ${count(list.steps.length, 'step')}: ${visible(steps)}`;
  });
  return [
    paint(
      'strong',
      `Start of ${deployment}: ${first?.rollout.service ?? ''}: ${visible(first?.list.summary ?? '')}`,
    ),
    `  requested by  ${visible(start.person)}`,
    `  signed by     ${visible(signersOf(start).join(', '))}${verified ? '' : ' (not verified without --environment-file)'}`,
    `  commit        ${visible(commit)}`,
    `  plan          ${visible(planFile)}, ${plan} (hash computed on this machine)`,
    ...(pace ? [`  compressed    ${took(pace.nominalMs)} of the plan pass in ${took(pace.realMs)}`] : []),
    `  valid until   ${visible(at(expires))}`,
    '  environments',
    ...places,
  ];
}
