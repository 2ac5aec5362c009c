// Starting a deployment: pin, hash, compile, sign; then one idempotent start.
import { count } from '../core/count.ts';
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
} from '@temporalio/client';
import type { KeyObject } from 'node:crypto';
import { sameJson } from '../core/canonical.ts';
import type { StartBody, SignedStart } from '../core/messages.ts';
import { deploymentWorkflowId, CONTROL_QUEUE } from '../core/ids.ts';
import type { Pace } from '../core/pace.ts';
import { planFiles } from '../core/plan/files.ts';
import type { Plan } from '../core/plan/plan.ts';
import { compileSteps } from '../core/compile.ts';
import { sha256 } from '../io/files.ts';
import { pinCommit, readAtCommit } from '../io/repository.ts';
import { hashJson, signMessage } from '../io/trust.ts';
import type { Timing } from '../../workflows/contract.ts';
import type { Connected } from './connection.ts';
import { connectionNames } from './connection-names.ts';
import { deploymentInputOf } from './history.ts';
import { forThisNamespace } from './namespace.ts';
import { Problem } from './problem.ts';
import { signersOf } from '../core/start-signers.ts';
import { type CheckedStart, checkedStart } from './recompile.ts';

export { deploymentInput } from './recompile.ts';

export interface StartRequest {
  readonly planText: string;
  readonly planFile: string;
  readonly plan: Plan;
  /** Where `release.ref` is resolved and plan files are read. */
  readonly repository: string;
  readonly person: string;
  readonly key: KeyObject;
  readonly pace: Pace | null;
  /**
   * Names the deployment; the same name starts the same deployment only once. Left out: made from service,
   * plan, commit and nonce.
   */
  readonly name?: string;
  readonly nonce: string;
  readonly expiresMs: number;
}

/** The signed start: what `--print` shows and what is sent. */
export async function signStart(request: StartRequest): Promise<SignedStart> {
  const { plan, repository } = request;
  const commit = await pinCommit(repository, plan.release.ref);
  const files = Object.fromEntries(
    await Promise.all(
      planFiles(plan).map(
        async (path) => [path, sha256(await readAtCommit(repository, commit, path))] as const,
      ),
    ),
  );
  const lists = Object.fromEntries(
    plan.environments.map(({ name }) => [
      name,
      hashJson(compileSteps({ plan, environment: name, commit, files, pace: request.pace })),
    ]),
  );
  return signMessage(request.key, 'start', request.person, {
    deployment:
      request.name ??
      `${plan.service}-${hashJson(plan).slice(0, 6)}-${commit.slice(0, 7)}-${request.nonce.slice(0, 4)}`,
    namespace: connectionNames().namespace,
    nonce: request.nonce,
    expires: new Date(Date.now() + request.expiresMs).toISOString(),
    planText: request.planText,
    planFile: request.planFile,
    plan: hashJson(plan),
    commit,
    files,
    pace: request.pace,
    lists,
  } satisfies StartBody);
}

export interface Started {
  readonly deployment: string;
  readonly workflowId: string;
  readonly runId: string;
  /** False when this very deployment was already running. */
  readonly fresh: boolean;
  readonly running: boolean;
}

/**
 * Starts it; a second start under the same name answers with the first. @throws Problem when that name is
 * another deployment's, or it is not what it says.
 */
export async function startDeployment(
  connected: Connected,
  start: SignedStart,
  timing?: Timing,
  { input: checked, about }: CheckedStart = checkedStart(start),
): Promise<Started> {
  const { client } = connected;
  const input = { ...checked, ...(timing && { timing }) };
  forThisNamespace(connected, start);
  const { deployment } = start.body;
  const workflowId = deploymentWorkflowId(deployment);
  const { service } = input.runs[0]!.rollout;
  try {
    const handle = await client.workflow.start('deployment', {
      workflowId,
      taskQueue: CONTROL_QUEUE,
      args: [input],
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
      // For lists: search attributes would have to be registered before the first start.
      memo: { service, requester: start.person },
      staticSummary: `${service}: ${input.runs[0]!.list.summary}`.slice(0, 200),
      staticDetails: [
        `Requested by **${start.person}**; commit \`${start.body.commit}\`.`,
        '',
        ...input.runs.map(({ list }) => `- ${list.environment.name}: ${count(list.steps.length, 'step')}`),
        ...about.map((line) => `- ${line}`),
      ].join('\n'),
    });
    return { deployment, workflowId, runId: handle.firstExecutionRunId, fresh: true, running: true };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const { runId, status } = await client.workflow.getHandle(workflowId).describe();
    const other = differences(start, (await deploymentInputOf(connected, deployment)).start);
    if (other.length > 0)
      throw new Problem(
        'conflict',
        `another deployment has the name ${deployment}: its ${other.join(', ')} differ`,
        'choose another --name',
      );
    return { deployment, workflowId, runId, fresh: false, running: status.name === 'RUNNING' };
  }
}

/** Who signs it decides where it may be deployed: with other signatures it is another start. */
function signersDiffer(one: SignedStart, other: SignedStart): readonly string[] {
  if (one.person !== other.person) return ['requester'];
  return sameJson(signersOf(one).toSorted(), signersOf(other).toSorted()) ? [] : ['signatures'];
}

/** Two starts ask for the same when the same people ask, and all but nonce, expiry and the file's wording agrees. */
function differences(one: SignedStart, other: SignedStart): readonly string[] {
  const aspects = { plan: 'plan', commit: 'commit', files: 'files', pace: 'pace', lists: 'steps' } as const;
  return [
    ...signersDiffer(one, other),
    ...Object.entries(aspects).flatMap(([key, word]) => {
      const name = key as keyof typeof aspects;
      return sameJson(one.body[name], other.body[name]) ? [] : [word];
    }),
  ];
}
