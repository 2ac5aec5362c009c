// What a plan claims, held against what was measured (never believed): a claim that does not hold is a
// warning, not a failure.
import type { EnvironmentOutcome } from './activities.ts';
import type { Plan } from './plan/plan.ts';
import type { Receipt } from './receipts.ts';
import { outside } from './soak.ts';

export interface ClaimMeasured {
  readonly environment: string;
  /** As the plan words it. */
  readonly claim: string;
  readonly measured: string;
  /** Null when it was not measured. */
  readonly holds: boolean | null;
}

/** Milliseconds since the epoch of an RFC 3339 text. */
export type TimeOf = (text: string) => number;

/** One line for each claim in each environment that was entered. */
export function measureClaims(
  plan: Pick<Plan, 'claims'>,
  outcomes: readonly EnvironmentOutcome[],
  timeOf: TimeOf,
): readonly ClaimMeasured[] {
  const { downtime, reversible } = plan.claims ?? {};
  return outcomes.flatMap((outcome) => [
    ...(downtime ? [downtimeClaim(outcome, downtime, timeOf)] : []),
    ...(reversible === undefined ? [] : [reversibleClaim(outcome, reversible)]),
  ]);
}

function downtimeClaim(
  { environment, receipts }: EnvironmentOutcome,
  limit: NonNullable<NonNullable<Plan['claims']>['downtime']>,
  timeOf: TimeOf,
): ClaimMeasured {
  const down = downtimeOf(receipts, timeOf);
  const claim = `downtime ${limit.text}`;
  if (down === null)
    return {
      environment,
      claim,
      measured: 'not measured: no maintenance and no restart passed',
      holds: null,
    };
  return {
    environment,
    claim,
    measured: `${(down.ms / 1000).toFixed(1)} s, ${down.how}`,
    holds: !outside(limit, down.ms, undefined, 'objective'),
  };
}

/**
 * Milliseconds from the start to the end of maintenance; without maintenance, as long as the restarts took.
 */
export function downtimeOf(
  receipts: readonly Receipt[],
  timeOf: TimeOf,
): { readonly ms: number; readonly how: string } | null {
  const enter = receipts.find((receipt) => receipt.kind === 'enterMaintenance' && receipt.verdict === 'pass');
  const leave = receipts.findLast(
    (receipt) => receipt.kind === 'leaveMaintenance' && receipt.verdict === 'pass',
  );
  if (enter && leave)
    return {
      ms: timeOf(leave.startedAt) + leave.tookMs - timeOf(enter.startedAt),
      how: 'from the start to the end of maintenance',
    };
  const restarts = receipts.filter((receipt) => receipt.kind === 'restart' && receipt.verdict === 'pass');
  if (enter || restarts.length === 0) return null;
  return {
    ms: restarts.reduce((sum, receipt) => sum + receipt.tookMs, 0),
    how: 'the restarts, without maintenance',
  };
}

function reversibleClaim(
  { environment, receipts, comparison, outcome }: EnvironmentOutcome & { readonly outcome: string },
  claimed: boolean,
): ClaimMeasured {
  const claim = claimed ? 'reversible' : 'not reversible';
  const say = (is: boolean, how: string): ClaimMeasured => ({
    environment,
    claim,
    measured: how,
    holds: is === claimed,
  });
  if (outcome === 'restored' && comparison?.equal)
    return say(true, 'rolled back, and no differences remained');
  if (outcome === 'stuck') return say(false, 'rolled back, and differences remained');
  const preview = receipts.findLast((receipt) => receipt.kind === 'preview');
  if (preview?.figures?.['rehearsed'] === 'up-down-up')
    return say(true, 'rehearsed up, down and up on a copy: no differences remained');
  return { environment, claim, measured: 'not measured: no rehearsal up and down', holds: null };
}
