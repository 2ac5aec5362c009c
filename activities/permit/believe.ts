// What this environment believes of the one before: what that one's worker has signed, and nothing else (rule 8).
import { fail } from '../../src/core/failures.ts';
import { type GateReport, type SealedGateReport, signedText } from '../../src/core/messages.ts';
import {
  type ClosingStatement,
  type SignedStatement,
  type StatementBound,
  unproven,
} from '../../src/core/statements.ts';
import { boundFault } from '../../src/core/statement-faults.ts';
import type { Step } from '../../src/core/step-list.ts';
import type { PermittedRollout } from '../../src/io/permit-store.ts';
import type { EnvironmentSettings } from '../../src/io/settings.ts';
import { hashJson, verifyStatement, verifyText } from '../../src/io/trust.ts';
import type { WorkerContext } from '../frame/step-context.ts';

/** How old the last verdict of the environment before may be when the first change is made here. */
const STALE_MS = 3_600_000;

/** Why a gate report is not what the control worker has sealed; null where it is. */
export function sealFault(
  { control }: EnvironmentSettings,
  { gateReport, hash, signature }: SealedGateReport,
): string | null {
  const signed = verifyText(control, signedText('gateReport', 'control', gateReport), signature);
  return hashJson(gateReport) === hash && signed
    ? null
    : 'the gate report is not signed by the control key of this environment';
}

/** Why what a gate report rests on is not believed here; null where it is. */
export function restFault(settings: EnvironmentSettings, report: GateReport): string | null {
  const { statement, deployment, plan, commit } = report;
  const facts = Object.keys(report.facts);
  if (facts.length === 0) return null;
  if (!statement) return `no worker has signed what it rests on: ${facts.join(', ')}`;
  const fault =
    signatureFault(settings, statement) ?? boundFault(statement.body, { deployment, plan, commit });
  if (fault !== null) return fault;
  if (statement.body.says !== 'soak-passed') return 'its statement is about something else';
  const open = facts.flatMap((fact) => unproven(fact, commit, statement.body) ?? []);
  return open.length > 0 ? open.join('; ') : null;
}

function signatureFault(
  { environment, environments }: EnvironmentSettings,
  statement: SignedStatement<StatementBound>,
): string | null {
  const of = statement.body.environment;
  const key = Object.hasOwn(environments, of) ? environments[of]! : null;
  if (key === null)
    return (
      `the file of ${environment} names no key of the worker of ${of}; add under environments: ` +
      `${of}: { key: … }, as soakgate key show ${of} --worker prints it`
    );
  return verifyStatement(statement, key) ? null : `the statement of ${of} is not signed by its worker`;
}

const EARLIER_NOTE = 'earlier-closed.json';

/**
 * Before the first change here the environment before is closed, as passed, by its own worker, and its last verdict is
 * fresh: a breach cannot be held back. @throws StepFailure NOT_PERMITTED.
 */
export async function requireEarlier(
  { settings, permitStore }: WorkerContext,
  { rollout, permit, list }: PermittedRollout,
  step: Step,
  closing: SignedStatement<ClosingStatement> | undefined,
): Promise<void> {
  const soaked = permit.gateReport?.gateReport.statement;
  if (!soaked || !list.gate?.sealed.length || step.changes.every((change) => change === 'files')) return;
  if ((await permitStore.note(rollout, EARLIER_NOTE)) !== undefined) return;
  const { deployment, environment, plan, list: listHash, commit } = soaked.body;
  const why = closing
    ? (signatureFault(settings, closing) ??
      boundFault(closing.body, { deployment, environment, plan, list: listHash, commit }) ??
      closingFault(closing.body))
    : 'its worker has not signed that it is closed';
  if (why !== null)
    fail('NOT_PERMITTED', `${environment} must be closed before anything is changed here: ${why}`);
  await permitStore.noteOnce(rollout, EARLIER_NOTE, JSON.stringify(closing));
}

function closingFault({ says, outcome, judgedAt, environment }: ClosingStatement): string | null {
  if (says !== 'closed') return 'its statement is about something else';
  if (outcome !== 'passed') return `it was closed as ${outcome}`;
  const age = Date.now() - Date.parse(judgedAt ?? '');
  return age <= STALE_MS
    ? null
    : `${environment} was last judged ${judgedAt ?? 'never'}, which is more than an hour ago`;
}
