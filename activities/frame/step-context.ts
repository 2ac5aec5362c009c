// What one activity works with: the kept list it was compared with, its session name, its commands, its log.
import type { KeyObject } from 'node:crypto';
import { heartbeat, cancellationSignal, activityInfo } from '@temporalio/activity';
import { backupSpecOf } from '../../src/core/backup-spec.ts';
import { sameJson } from '../../src/core/canonical.ts';
import { fail } from '../../src/core/failures.ts';
import { afterwardsWorkflowId, type RolloutRef, rolloutWorkflowId, sessionTag } from '../../src/core/ids.ts';
import type { Step, StepList } from '../../src/core/step-list.ts';
import type { Artifacts } from '../../src/io/artifacts.ts';
import { sha256 } from '../../src/io/files.ts';
import type { PermitStore, PermittedRollout } from '../../src/io/permit-store.ts';
import { redact, redactJson } from '../../src/io/redact.ts';
import {
  type EnvironmentSettings,
  passwordsOf,
  resolveSecret,
  type SecretRef,
  type ServiceSettings,
} from '../../src/io/settings.ts';
import { checkoutFolder } from '../runtimes/checkout-folder.ts';
import { evidenceFolder, slug } from './artifact-paths.ts';
import { type Commands, commandsOf } from './commands.ts';
import type { OwnRecord } from './own-record.ts';
import type { FileVersion } from '../../src/io/environment-file.ts';
import type { PermitCounter } from '../../src/io/permit-counter.ts';

/** What every activity of one environment's worker shares. */
export interface WorkerContext {
  readonly settings: EnvironmentSettings;
  readonly permitStore: PermitStore;
  /** Notices an old copy of it. */
  readonly counter: PermitCounter;
  readonly artifacts: Artifacts;
  readonly record: OwnRecord;
  /** Temporal's namespace in which this worker works. */
  readonly namespace: string;
  /** Why the environment's file, as it lies there now, cannot be used; null where it can. */
  readonly fileFault: string | null;
  /** When and which version of the file was read last. */
  readonly fileVersion: FileVersion;
  /** This worker's own key: what it states is signed with it. */
  readonly workerKey: KeyObject;
}

export interface Work extends Commands {
  readonly world: WorkerContext;
  readonly rollout: RolloutRef;
  readonly step: Step;
  readonly list: StepList;
  readonly service: ServiceSettings;
  /** Address of the target database, with its secret. */
  readonly url: string;
  /** This attempt's `application_name`. */
  readonly tag: string;
  readonly signal: AbortSignal;
  /**
   * What must never be printed: the address of the target, its password, and what the plan's commands and the
   * service's own processes are handed by reference.
   */
  readonly secrets: readonly string[];
  /** The checkout of this rollout's commit. */
  readonly checkout: string;
  /** Says where it is: heartbeat details, shown by the Web UI. */
  progress(text: string): void;
  /** Appends to the step's log, redacted. */
  log(text: string): Promise<unknown>;
  /** Keeps a value in this environment's part of the evidence, redacted. */
  record(when: 'baseline' | 'after', path: string, value: unknown): Promise<void>;
}

/**
 * Compares the activity with the kept permit and list, and opens its work.
 * @throws StepFailure NOT_PERMITTED for anything that was not permitted.
 */
export async function openWork(world: WorkerContext, rollout: RolloutRef, step: Step): Promise<Work> {
  return workOf(world, await listed(world, rollout, step), step);
}

/**
 * The kept rollout, in whose list the step stands as it was handed in.
 * @throws StepFailure NOT_PERMITTED for anything that was not permitted.
 */
export async function listed(
  world: WorkerContext,
  rollout: RolloutRef,
  step: Step,
): Promise<PermittedRollout> {
  fromItsRollout(rollout);
  const kept = await permitted(world, rollout);
  const line = kept.list.steps[step.index];
  if (!line || !sameJson(line, step))
    fail('NOT_PERMITTED', `step ${step.index} "${step.name}" is not the one in the kept list`);
  return kept;
}

/** Names this attempt: its sessions carry it, and the worker's own record. */
export function attemptTag(rollout: RolloutRef, step: Step): string {
  const { workflowExecution, activityId, attempt } = activityInfo();
  const name = sha256(`${workflowExecution?.runId}/${activityId}/${attempt}`).slice(0, 12);
  return sessionTag(rollout, step.index, name);
}

/**
 * Opens a look at what a rollout has left; its permit is dead, so nothing but its monitors may be read.
 * @throws StepFailure NOT_PERMITTED unless the rollout passed here and its plan asks for a post-deployment
 * checks.
 */
export async function openAfterwards(world: WorkerContext, rollout: RolloutRef): Promise<Work> {
  fromWorkflow(
    afterwardsWorkflowId(rollout.deployment, rollout.environment),
    `the post-deployment checks of ${rollout.deployment} in ${rollout.environment}`,
  );
  const kept = await keptOf(world, rollout);
  if ((await world.permitStore.closed(rollout)) !== 'passed' || !kept.list.environment.afterwards)
    fail(
      'NOT_PERMITTED',
      `${rollout.deployment} has not passed in ${rollout.environment} with post-deployment checks`,
    );
  // What is read is no step: the last one, behind which the site is asked from outside.
  return workOf(world, kept, kept.list.steps.at(-1)!);
}

/** Opens the work of a step of a kept list. */
export async function workOf(world: WorkerContext, kept: PermittedRollout, step: Step): Promise<Work> {
  const { rollout } = kept;
  const service = serviceSettings(world, rollout.service);
  const url = await resolveSecret(service.database);
  const tag = attemptTag(rollout, step);
  const checkout = checkoutFolder(service.root, kept.list.commit);
  const secrets = await secretsOf(kept.list, service, url);
  const evidence = evidenceFolder(rollout.deployment);
  const log = (text: string) =>
    world.artifacts.append(
      `${evidence}/logs/${rollout.environment}/${String(step.index).padStart(2, '0')}-${slug(step.name)}.log`,
      redact(text, secrets),
    );
  const notes = world.permitStore.processNotes(rollout);
  return {
    world,
    rollout,
    step,
    list: kept.list,
    service,
    url,
    tag,
    signal: cancellationSignal(),
    secrets,
    checkout,
    log,
    record: async (when, path, value) => {
      await world.artifacts.put(
        `${evidence}/${when}/${rollout.environment}/${path}`,
        JSON.stringify(redactJson(value, secrets), null, 1),
      );
    },
    progress: (text) => heartbeat(text),
    ...commandsOf({
      list: kept.list,
      root: service.root,
      checkout,
      url,
      tag,
      notes,
      programs: world.settings.guardrails.programs,
      log,
    }),
  };
}

/** Secrets of one attempt; a reference that cannot be resolved fails where it is used, not here. */
async function secretsOf(list: StepList, service: ServiceSettings, url: string): Promise<readonly string[]> {
  const references = [...Object.values(list.commands.env), ...Object.values(service.env)].filter(
    (value): value is SecretRef => typeof value === 'object' && !('from' in value),
  );
  const { restoreAs } = backupSpecOf(list);
  if (restoreAs) references.push(restoreAs);
  const values = await Promise.all(references.map((reference) => resolveSecret(reference).catch(() => '')));
  return [url, ...values]
    .flatMap((secret) => [secret, ...passwordsOf(secret)])
    .filter((secret) => secret !== '');
}

/**
 * Only the workflow that holds the rollout's name may ask for its steps; whoever wants to impersonate it has
 * to end it first,
 * which is seen. @throws StepFailure NOT_PERMITTED.
 */
export function fromItsRollout({ service, environment }: RolloutRef): void {
  fromWorkflow(rolloutWorkflowId(service, environment), `the rollout of ${service} in ${environment}`);
}

function fromWorkflow(workflowId: string, what: string): void {
  const asking = activityInfo().workflowExecution?.workflowId;
  if (asking !== workflowId) fail('NOT_PERMITTED', `workflow ${asking} is not ${what}`);
}

/** The kept rollout that an activity claims to belong to. */
export async function permitted(world: WorkerContext, rollout: RolloutRef): Promise<PermittedRollout> {
  const kept = await keptOf(world, rollout);
  const closed = await world.permitStore.closed(rollout);
  if (closed !== undefined)
    fail(
      'NOT_PERMITTED',
      `the rollout of ${rollout.deployment} in ${rollout.environment} is closed (${closed}); its ` +
        'permit is dead',
    );
  return kept;
}

async function keptOf(world: WorkerContext, rollout: RolloutRef): Promise<PermittedRollout> {
  const kept = await world.permitStore.rollout(rollout);
  if (!kept || !sameJson(kept.rollout, rollout))
    fail(
      'NOT_PERMITTED',
      `no permit is kept here for ${rollout.deployment} in ${rollout.environment}: nobody permitted it here, or the ` +
        `permit store ${world.settings.permitStore} was lost; put its newest copy back and retry`,
    );
  return kept;
}

export function serviceSettings(world: WorkerContext, service: string): ServiceSettings {
  return (
    world.settings.services[service] ??
    fail('SERVICE_UNKNOWN', `this environment's file has no service ${service}`)
  );
}

/** Where the service is asked from outside. */
export function outsideAddress(work: Pick<Work, 'service' | 'list'>): string {
  return (
    work.service.url ??
    work.list.environment.url ??
    fail('TARGET_UNREACHABLE', "neither the plan nor the environment's file names the url")
  );
}

/** Between `maintenance: enter` and `leave`, checks use the address inside. */
export function addressOf(work: Pick<Work, 'service' | 'list' | 'step'>): string {
  const before = work.list.steps.slice(0, work.step.index + 1).map((step) => step.kind);
  const inside = before.lastIndexOf('enterMaintenance') > before.lastIndexOf('leaveMaintenance');
  const address = work.service.inside ?? work.list.environment.maintenance?.inside;
  return inside && address ? address : outsideAddress(work);
}
