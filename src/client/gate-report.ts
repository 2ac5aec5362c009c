// The sealed gate report that a person decides on: asked of the deployment, then hashed again and held
// against what was started.
import { deploymentWorkflowId } from '../core/ids.ts';
import type { SealedGateReport } from '../core/messages.ts';
import { hashJson } from '../io/trust.ts';
import type { DeploymentInput, EnvironmentRun } from '../../workflows/contract.ts';
import type { Connected } from './connection.ts';
import { messageOf, Problem } from './problem.ts';
import { isUnavailable } from './reach.ts';

const QUERY_MS = 10_000;

/** @throws Problem that names the environments there are. */
export function runOf(input: DeploymentInput, environment: string): EnvironmentRun {
  const found = input.runs.find(({ rollout }) => rollout.environment === environment);
  if (found) return found;
  const names = input.runs.map(({ rollout }) => rollout.environment).join(', ');
  throw new Problem(
    'usage',
    `deployment ${input.start.body.deployment} has no environment ${environment}`,
    `it has: ${names}`,
  );
}

/**
 * The gate report that stands now. @throws Problem when none is sealed, or it is not about what was started.
 */
export async function readGateReport(
  { client }: Connected,
  input: DeploymentInput,
  environment: string,
): Promise<SealedGateReport> {
  const { deployment } = input.start.body;
  runOf(input, environment);
  const handle = client.workflow.getHandle(deploymentWorkflowId(deployment));
  const sealed = await client.connection
    .withDeadline(Date.now() + QUERY_MS, () =>
      handle.query<SealedGateReport | null, [string]>('gateReport', environment),
    )
    .catch((error: unknown) => {
      if (isUnavailable(error)) throw error;
      throw new Problem(
        'pending',
        `no control worker returned the gate report of ${environment} (${messageOf(error)})`,
        'soakgate worker control --help',
      );
    });
  if (!sealed)
    throw new Problem(
      'conflict',
      `no gate report of ${environment} is sealed yet`,
      `soakgate status ${deployment} shows what it waits for`,
    );
  return checkGateReport(sealed, input, environment);
}

/**
 * A gate report, whoever handed it over. @throws Problem when its hash is another's, or it is not about what
 * was started.
 */
export function checkGateReport(
  sealed: SealedGateReport,
  input: DeploymentInput,
  environment: string,
): SealedGateReport {
  const { body } = input.start;
  const { rollout } = runOf(input, environment);
  const { gateReport } = sealed;
  if (hashJson(gateReport) !== sealed.hash)
    throw new Problem(
      'not-allowed',
      `the gate report of ${environment} does not match its hash`,
      'do not sign; check which process polls the control queue',
    );
  const about = {
    deployment: body.deployment,
    environment,
    plan: body.plan,
    commit: body.commit,
    list: rollout.list,
  };
  const other = Object.entries(about).find(
    ([name, value]) => gateReport[name as keyof typeof about] !== value,
  );
  if (
    other ||
    body.lists[environment] !== rollout.list ||
    hashJson(runOf(input, environment).list) !== rollout.list
  )
    throw new Problem(
      'not-allowed',
      `the gate report of ${environment} has another ${other?.[0] ?? 'list'} than the deployment ` +
        'that was started',
      'do not sign; start again',
    );
  return sealed;
}
