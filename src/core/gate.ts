// The gate: which sealed facts hold, what the gate report says, and what still keeps it shut.
import { allAccepted } from './accepted.ts';
import type { GateAnswer, GateQuestion, GateState } from './gate-question.ts';
import { quorumMet } from './quorum.ts';
import type { GateReport } from './messages.ts';
import type { EnvironmentPlan, Gate } from './plan/plan.ts';
import { unproven } from './statements.ts';
import type { Missing } from './waiting.ts';

/** The word by which people have an environment deploy with a permit store that is behind. */
export const ACCEPT_STORE = 'accept-permit-store';
/** Id of the attestation from which the notice of a window counts. */
export const NOTICE = 'notice';

/**
 * The gate with what its facts at entry need of people: somebody attests that notice was given, if the plan
 * does not word it itself.
 */
export function wholeGate(gate: Gate, window: EnvironmentPlan['window']): Gate {
  const worded = gate.attested.some(({ id }) => id === NOTICE);
  if (!gate.beforeDeploying.includes('notice-given') || worded || !window) return gate;
  const role = gate.approved?.roles[0] ?? '';
  const text = `The users were informed of the window (${window.opens}, ${window.zone})`;
  return { ...gate, attested: [...gate.attested, { id: NOTICE, role, text }] };
}

interface Fact {
  readonly holds: boolean;
  readonly why: string;
}

const SUMMARY_LINES = 40;

/** The gate report of a gate: facts computed from the receipts of the environment before. */
export function gateReportOf({
  deployment,
  list,
  listHash,
  start,
  number,
  before,
}: GateQuestion): GateReport {
  const wanted = list.gate?.sealed ?? [];
  const facts = Object.fromEntries(wanted.map((name) => [name, factOf(name, list.commit, before)]));
  return {
    deployment,
    environment: list.environment.name,
    number,
    plan: start.body.plan,
    list: listHash,
    commit: list.commit,
    requester: start.person,
    facts,
    statement: before?.statement ?? null,
    summary: [
      ...(before ? allAccepted([before]).map(({ about, how }) => `accepted: ${about} (${how})`) : []),
      ...(before
        ? before.receipts.map(
            (receipt) => `${before.environment}: ${receipt.step}: ${receipt.verdict}, ${receipt.summary}`,
          )
        : []),
      ...(before?.soaked?.split('\n').map((line) => `${before.environment}: soak: ${line}`) ?? []),
    ].slice(0, SUMMARY_LINES),
  };
}

function factOf(name: string, commit: string, before: GateQuestion['before']): Fact {
  if (!before) return { holds: false, why: 'no environment was deployed before this gate' };
  // The worker of the next environment believes nothing but this, whatever is said beside it.
  const { statement, environment } = before;
  if (!statement)
    return { holds: false, why: `the worker of ${environment} has not signed that its soak has passed` };
  const why = unproven(name, commit, statement.body);
  return why === null ? { holds: true, why: proof(name, commit, before) } : { holds: false, why };
}

/** In words, what a fact that holds rests on. */
function proof(name: string, commit: string, before: NonNullable<GateQuestion['before']>): string {
  const summary = (kind: string) =>
    before.receipts.filter((receipt) => receipt.kind === kind).at(-1)?.summary ?? 'passed';
  if (name === 'soak-passed') return `${before.environment} soaked without a breach`;
  if (name === 'same-release') return `same commit ${commit.slice(0, 12)}`;
  return summary(name === 'backup-proven' ? 'backup' : 'preview');
}

/** Whether the gate is open, else everything that keeps it shut. */
export function judgeGate(state: GateState): GateAnswer {
  const { list, gateReport, requester, requesters = [requester], approvals, attestations } = state;
  const { gate } = list;
  if (!gate) return { open: true, waiting: [] };
  const waiting: Missing[] = [];
  if (!gateReport && gate.sealed.length > 0) waiting.push({ kind: 'facts', facts: gate.sealed });
  for (const wanted of gate.attested) {
    const there = attestations.some((given) => given.id === wanted.id && given.roles.includes(wanted.role));
    if (!there) waiting.push({ kind: 'attestation', id: wanted.id, role: wanted.role });
  }
  const counted = approvals.filter(({ person }) => !requesters.includes(person));
  const quorum = quorumMet(
    { each: gate.approved?.roles ?? [] },
    counted.map(({ person, roles }) => ({ name: person, roles })),
  );
  if (!quorum.met) waiting.push({ kind: 'approval', roles: quorum.missing });
  return { open: waiting.length === 0, waiting };
}
