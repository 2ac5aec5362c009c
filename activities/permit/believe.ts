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
import type { PermittedRollout } from '../../src/io/permit-store.ts';
import type { EnvironmentSettings } from '../../src/io/settings.ts';
import { hashJson, verifyStatement, verifyText } from '../../src/io/trust.ts';
import type { WorkerContext } from '../frame/step-context.ts';
import type { Step, StepList } from '../../src/core/step-list.ts';

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
  if (key === null) return unknownWorker(environment, of);
  return verifyStatement(statement, key) ? null : `the statement of ${of} is not signed by its worker`;
}

const unknownWorker = (environment: string, of: string): string =>
  `the file of ${environment} names no key of the worker of ${of}; add under environments: ` +
  `${of}: { key: … }, as soakgate key show ${of} --worker prints it`;

const BEFORE_NOTE = 'environment-before.json';
const EARLIER_NOTE = 'earlier-closed.json';

/**
 * Keeps which environment comes before this one in the signed plan, with the hash of its list; null where this is the
 * first one. @throws StepFailure PERMIT_REFUSED where its worker is unknown here: it could never be believed.
 */
export async function keepBefore(
  { settings, permitStore }: Pick<WorkerContext, 'settings' | 'permitStore'>,
  { rollout, permit }: Pick<PermittedRollout, 'rollout' | 'permit'>,
  before: StepList | null,
): Promise<void> {
  const name = before?.environment.name;
  if (name !== undefined && !Object.hasOwn(settings.environments, name))
    fail('PERMIT_REFUSED', unknownWorker(settings.environment, name));
  const kept: Before | null = before && {
    environment: before.environment.name,
    list: permit.start.body.lists[before.environment.name] ?? '',
    observes: (before.environment.soak ?? before.environment.watch) !== undefined,
  };
  await permitStore.noteOnce(rollout, BEFORE_NOTE, JSON.stringify(kept));
}

/**
 * Before the first change here the environment before is closed, as passed, by its own worker, and its last verdict is
 * fresh: a breach cannot be held back, and nothing unsigned leads from one environment to the next, whatever the gate
 * asks for. @throws StepFailure NOT_PERMITTED.
 */
export async function requireEarlier(
  { settings, permitStore }: WorkerContext,
  { rollout, permit, list }: PermittedRollout,
  step: Step,
  closing: SignedStatement<ClosingStatement> | undefined,
): Promise<void> {
  const before = JSON.parse((await permitStore.note(rollout, BEFORE_NOTE)) ?? 'null') as Before | null;
  if (!before || step.changes.every((change) => change === 'files')) return;
  if ((await permitStore.note(rollout, EARLIER_NOTE)) !== undefined) return;
  const { environment, list: listHash, observes } = before;
  const about = { deployment: rollout.deployment, plan: permit.start.body.plan, commit: list.commit };
  const why = closing
    ? (signatureFault(settings, closing) ??
      boundFault(closing.body, { ...about, environment, list: listHash }) ??
      closingFault(closing.body, observes))
    : 'its worker has not signed that it is closed';
  if (why !== null)
    fail('NOT_PERMITTED', `${environment} must be closed before anything is changed here: ${why}`);
  await permitStore.noteOnce(rollout, EARLIER_NOTE, JSON.stringify(closing));
}

interface Before extends Pick<StatementBound, 'environment' | 'list'> {
  /** Whether the plan observes it. */
  readonly observes: boolean;
}

/** Where nothing is observed there is no verdict, and its end is what must be fresh. */
function closingFault(
  { says, outcome, judgedAt, at, environment }: ClosingStatement,
  observes: boolean,
): string | null {
  if (says !== 'closed') return 'its statement is about something else';
  if (outcome !== 'passed') return `it was closed as ${outcome}`;
  const age = Date.now() - Date.parse(judgedAt ?? (observes ? '' : at));
  return age <= STALE_MS
    ? null
    : `${environment} was last judged ${judgedAt ?? (observes ? 'never' : `at its end, ${at}`)}, which is more than an hour ago`;
}
