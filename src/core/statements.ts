// What an environment's worker states under its own key: that its soak has passed, and that its rollout is closed. The
// next environment believes nothing else about it.
import type { Verdict } from './verdict.ts';

/** What every statement says besides its own business. */
export interface StatementBound {
  readonly deployment: string;
  readonly environment: string;
  /** sha256 of the canonical plan. */
  readonly plan: string;
  /** sha256 of the canonical list of the environment. */
  readonly list: string;
  readonly commit: string;
  /** RFC 3339, by the worker's clock. */
  readonly at: string;
}

export interface StatedStep {
  readonly step: string;
  readonly kind: string;
  readonly verdict: Verdict;
  /** How a preview rehearsed the migration. */
  readonly rehearsed?: string;
}

/** The soak as the worker's own record has it. Times in milliseconds since the epoch, lengths in milliseconds. */
export interface StatedSoak {
  readonly startedAt: number;
  readonly endedAt: number;
  /** Time in which the monitors were read: from start to end, without what gaps have added. */
  readonly observedMs: number;
  readonly samples: number;
  readonly missed: number;
  readonly gaps: number;
  readonly gapsMs: number;
  readonly extendedMs: number;
  readonly cleanSince: number | null;
}

export interface SoakStatement extends StatementBound {
  readonly says: 'soak-passed';
  readonly steps: readonly StatedStep[];
  readonly soak: StatedSoak;
}

export interface ClosingStatement extends StatementBound {
  readonly says: 'closed';
  readonly outcome: string;
  /** When the monitors were last judged, RFC 3339; null where nothing was observed. */
  readonly judgedAt: string | null;
}

/** Signed by the worker of `body.environment`. */
export interface SignedStatement<Body extends StatementBound = SoakStatement> {
  readonly body: Body;
  /** base64 of the Ed25519 signature over `signedText('statement', environment, body)`. */
  readonly signature: string;
}

/** Why a sealed fact of a gate does not follow from the statement; null where it does. */
export function unproven(fact: string, commit: string, stated: SoakStatement): string | null {
  const last = (kind: string) => stated.steps.filter((step) => step.kind === kind).at(-1);
  if (fact === 'soak-passed') return null;
  if (fact === 'same-release') return stated.commit === commit ? null : 'another commit passed the soak';
  if (fact === 'backup-proven')
    return last('backup')?.verdict === 'pass' ? null : `no backup has passed in ${stated.environment}`;
  if (fact === 'rollback-rehearsed') {
    const preview = last('preview');
    return preview?.verdict === 'pass' && preview.rehearsed === 'up-down-up'
      ? null
      : `no migration was rehearsed up-down-up in ${stated.environment}`;
  }
  return `unknown fact ${fact}`;
}
