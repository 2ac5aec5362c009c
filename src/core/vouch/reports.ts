// Who vouches for what workers state, and for the gate reports that rest on it.
import { boundFault, soakFault } from '../statement-faults.ts';
import { type SignedStatement, type SoakStatement, type StatementBound, unproven } from '../statements.ts';
import { words } from '../evidence-summary.ts';
import { type Case, type FiledReport, type FiledStatement, type Found, nothing, short } from './case.ts';

/** A line for each statement of a worker. */
export function vouchStatements(subject: Case): Found {
  const lines = subject.records.statements.map(({ file, statement }) => ({
    who: `worker of ${statement.body.environment}`,
    roles: [],
    what: statedText(statement),
    file,
    fault: statementFault(subject, statement),
  }));
  return { ...nothing, lines };
}

function statedText({ body }: FiledStatement['statement']): string {
  if (body.says === 'closed') return `closed as ${body.outcome}, last judged ${body.judgedAt ?? 'never'}`;
  const { soak, steps } = body;
  const passed = steps.filter(({ verdict }) => verdict === 'pass').length;
  return (
    `soak passed: observed ${words(soak.observedMs)}, ${soak.samples} samples, ${soak.missed} missed; ` +
    `${passed} of ${steps.length} steps passed`
  );
}

/** Why a worker's statement is not believed; null where it is. */
export function statementFault(
  { keys, check, start, manifest }: Case,
  statement: SignedStatement<StatementBound>,
): string | null {
  const { environment } = statement.body;
  const key = keys.workers.get(environment);
  if (key === undefined) return `unknown key: the trusted files name no worker of ${environment}`;
  if (!check.stated(statement, key)) return `bad signature: it is not by the worker of ${environment}`;
  if (!start) return 'there is no start to compare it with';
  if (!Object.hasOwn(start.lists, environment)) return `this deployment has no environment ${environment}`;
  return boundFault(statement.body, {
    deployment: manifest.deployment,
    plan: start.plan,
    list: start.lists[environment]!,
    commit: start.commit,
  });
}

/** A line for each gate report: what the control worker sealed, and the statement that it rests on. */
export function vouchReports(subject: Case): Found {
  const lines = subject.records.reports.map((report) => ({
    who: 'control',
    roles: [],
    what: `sealed gate report ${short(report.sealed.hash)} of ${report.sealed.gateReport.environment}`,
    file: report.file,
    fault: reportFault(subject, report),
  }));
  return { ...nothing, lines };
}

/** Why a gate report is not believed; null where it is. */
export function reportFault(subject: Case, { sealed }: FiledReport): string | null {
  const { keys, check, start, requester, manifest } = subject;
  const { gateReport, hash } = sealed;
  if (keys.control === null) return 'unknown key: the trusted files name no control key';
  if (check.hash(gateReport) !== hash) return 'the gate report was changed: its hash does not match';
  if (!check.sealed(sealed, keys.control))
    return 'bad signature: the gate report is not sealed by the control key';
  if (!start) return 'there is no start to compare the gate report with';
  const { environment } = gateReport;
  const about = {
    deployment: manifest.deployment,
    plan: start.plan,
    commit: start.commit,
    list: Object.hasOwn(start.lists, environment) ? start.lists[environment] : undefined,
    requester,
  };
  const other = Object.entries(about).find(([key, value]) => gateReport[key as keyof typeof about] !== value);
  if (other) return `the gate report is about another ${other[0]}`;
  return restFault(subject, gateReport.statement, Object.keys(gateReport.facts), environment);
}

/** Each sealed fact follows from what the worker of the environment before has signed. */
function restFault(
  subject: Case,
  statement: SignedStatement | null,
  facts: readonly string[],
  environment: string,
): string | null {
  if (facts.length === 0) return null;
  if (!statement) return `no worker has signed what the gate report rests on: ${facts.join(', ')}`;
  const fault = statementFault(subject, statement);
  if (fault !== null) return `the gate report rests on a statement that is not believed: ${fault}`;
  if (statement.body.says !== 'soak-passed')
    return 'the gate report rests on a statement about something else';
  const { commit } = statement.body;
  const open = facts.flatMap((fact) => unproven(fact, commit, statement.body) ?? []);
  return open.length > 0 ? open.join('; ') : lengthFault(subject, statement, environment);
}

function lengthFault(
  { lists, start }: Case,
  statement: SignedStatement<SoakStatement>,
  environment: string,
): string | null {
  if (!lists || !start) return null;
  const names = [...lists.keys()];
  const before = lists.get(names[names.indexOf(environment) - 1] ?? '');
  if (!before) return `no environment comes before ${environment}`;
  return soakFault(statement, before, start.lists[before.environment.name] ?? '', 0);
}
