// What an attacker changes of an honest deployment: one part of its permit.
import type { GateReport } from '../../src/core/messages.ts';
import type { Pace } from '../../src/core/pace.ts';
import type { Json } from '../../src/core/plan/plan.ts';
import type { SoakStatement } from '../../src/core/statements.ts';

export interface Change {
  readonly plan?: string;
  readonly pace?: Pace;
  readonly start?: {
    readonly person?: string;
    readonly key?: string;
    readonly expiresMs?: number;
    /** Who signs beside, each with the own key or another one. */
    readonly also?: readonly { readonly person: string; readonly key?: string }[];
  };
  readonly gateReport?: (gateReport: GateReport) => GateReport;
  readonly gateReportKey?: string;
  /** What staging's worker has signed, changed before it is signed; null: it has signed nothing. */
  readonly statement?: ((statement: SoakStatement) => SoakStatement) | null;
  readonly statementKey?: string;
  readonly sign?: readonly {
    readonly message: 'approve' | 'attest';
    readonly person: string;
    readonly key?: string;
    readonly body?: Record<string, Json>;
  }[];
}
