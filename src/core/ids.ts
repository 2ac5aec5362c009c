// Derived names: what a step or an undo needs is found by them after any crash, never remembered.

/** Which rollout an activity belongs to; travels in every activity's input. */
export interface RolloutRef {
  readonly deployment: string;
  readonly service: string;
  readonly environment: string;
  /** sha256 of the canonical list. */
  readonly list: string;
  /** First 10 hex of sha256 of `<deployment>/<environment>`. */
  readonly hash: string;
}

export const CONTROL_QUEUE = 'soakgate';
export const environmentQueue = (environment: string): string => `soakgate.${environment}`;
export const observeQueue = (environment: string): string => `soakgate.${environment}.observe`;
export const deploymentWorkflowId = (deployment: string): string => `deployment/${deployment}`;
/** Held from preflight to the end of soak or watch: one rollout at a time per environment (rule 10). */
export const rolloutWorkflowId = (service: string, environment: string): string =>
  `rollout/${service}/${environment}`;
/** Outlives its deployment, until people end it. */
export const afterwardsWorkflowId = (deployment: string, environment: string): string =>
  `afterwards/${deployment}/${environment}`;

/** The scratch database in which the backup is proven and the migration rehearsed. */
export const scratchDatabase = (rollout: RolloutRef): string => `sg_${rollout.hash}_scratch`;
/** Restored once more when the state after a rollback is compared. */
export const compareDatabase = (rollout: RolloutRef): string => `sg_${rollout.hash}_compare`;
/** The rollback by restore: made beside the target, then given its name. */
export const restoredDatabase = (rollout: RolloutRef): string => `sg_${rollout.hash}_restored`;
/**
 * What the target is called after a restore has taken its place; kept, it holds the rows written since the
 * backup.
 */
export const replacedDatabase = (rollout: RolloutRef): string => `sg_${rollout.hash}_replaced`;

/** `application_name` of our sessions; PostgreSQL cuts at 63 bytes silently, this is at most 40. */
export const sessionTag = (rollout: RolloutRef, index: number, attempt: string): string =>
  `sg:${rollout.hash}:${index}:${attempt}`;
export const sessionPattern = (rollout: RolloutRef): string => `sg:${rollout.hash}:%`;
/** Sessions of `observe` have a prefix of their own, so that no writing attempt ends them. */
export const observeTag = (rollout: RolloutRef): string => `sgo:${rollout.hash}`;
