// The first activity in an environment: the permit is checked where it opens something, and kept (rule 8).
import { count } from '../../src/core/count.ts';
import type { OpenRolloutInput } from '../../src/core/activities.ts';
import { sameJson } from '../../src/core/canonical.ts';
import { fail } from '../../src/core/failures.ts';
import { guardrailComplaints } from '../../src/core/guardrails.ts';
import { placeComplaints } from '../../src/core/places.ts';
import { type Person, quorumMet } from '../../src/core/quorum.ts';
import { NOTICE } from '../../src/core/gate.ts';
import {
  type ApproveBody,
  type AttestBody,
  type GateReport,
  type Permit,
  type SealedGateReport,
  type Signed,
} from '../../src/core/messages.ts';
import { parsePlan } from '../../src/core/plan/parse.ts';
import type { Attestation } from '../../src/core/plan/plan.ts';
import type { Receipt } from '../../src/core/receipts.ts';
import { compileSteps } from '../../src/core/compile.ts';
import type { RolloutRef } from '../../src/core/ids.ts';
import { soakFault } from '../../src/core/statement-faults.ts';
import type { StepList } from '../../src/core/step-list.ts';
import type { EnvironmentSettings } from '../../src/io/settings.ts';
import { hashJson } from '../../src/io/trust.ts';
import { refuseOutside } from './before-deploying.ts';
import { keepBefore, restFault, sealFault } from './believe.ts';
import { judgeStart } from './judge-start.ts';
import { refuseOtherPlace } from './own-place.ts';
import { recordPermit, spendNonces } from './record-permit.ts';
import { isExpired, type Judge, judgePerson, requesterRefused } from './verify.ts';
import { fromItsRollout, serviceSettings, type WorkerContext } from '../frame/step-context.ts';
import { rolloutHash } from '../../src/io/rollout-hash.ts';

/**
 * Checks signatures, roles, expiry, hashes, facts and guardrails; recompiles the list; keeps permit and list.
 * @throws StepFailure PERMIT_REFUSED or GUARDRAIL_NOT_MET naming what is wrong, before any command has run.
 */
export function openRollout(world: WorkerContext, input: OpenRolloutInput): Promise<Receipt> {
  // One after the other: two that look at the same time would both find nothing open.
  const { permitStore } = world.settings;
  const turn = (turns.get(permitStore) ?? Promise.resolve()).then(
    () => openInTurn(world, input),
    () => openInTurn(world, input),
  );
  turns.set(permitStore, turn);
  return turn;
}

/** By permit store: the last one that asked. */
const turns = new Map<string, Promise<unknown>>();

async function openInTurn(world: WorkerContext, input: OpenRolloutInput): Promise<Receipt> {
  const started = performance.now();
  const { rollout, permit } = input;
  fromItsRollout(rollout);
  const { settings, permitStore } = world;
  await refuseOtherPlace(world);
  const already = await permitStore.rollout(rollout);
  if (already) {
    if (!sameJson(already.rollout, rollout) || !sameJson(already.permit, permit))
      fail('PERMIT_REFUSED', 'another permit is kept for this rollout');
    if ((await permitStore.closed(rollout)) !== undefined)
      fail('PERMIT_REFUSED', 'this permit is dead: its rollout is closed');
    return receiptOf(world, already.list, started);
  }
  if (rollout.environment !== settings.environment || permit.environment !== settings.environment)
    fail('PERMIT_REFUSED', `this worker is ${settings.environment}, the permit is for ${permit.environment}`);
  // Nobody's plan is parsed before somebody who may start has signed it.
  const signers = checkStart(world, permit, rollout.deployment);
  const { list, first, before } = recompile(permit, settings.environment);
  if (first && isExpired(permit.start))
    fail('PERMIT_REFUSED', `start by ${permit.start.person}: the signature has expired`);
  const service = serviceSettings(world, list.service);
  if (
    rollout.hash !== rolloutHash(rollout.deployment, rollout.environment) ||
    rollout.service !== list.service
  )
    fail('PERMIT_REFUSED', 'the names of this rollout are not derived from its deployment');
  if (hashJson(list) !== rollout.list || permit.start.body.lists[settings.environment] !== rollout.list)
    fail('PERMIT_REFUSED', 'the list that was signed is not what plan, environment and pace compile to');
  const complaints = [
    ...guardrailComplaints(list, settings.guardrails),
    ...placeComplaints(list, service, settings.guardrails.files ?? []),
  ];
  if (complaints.length > 0) fail('GUARDRAIL_NOT_MET', complaints.join('; '), complaints);
  checkApprovals(world, permit, list, rollout.list, signers);
  checkSoakBefore(settings, permit, list, before);
  await refuseBesides(world, rollout);
  await refuseOutside(world, {
    deployment: rollout.deployment,
    facts: list.gate?.beforeDeploying ?? [],
    noticeBy: noticeGivers(world, permit, list),
    window: list.environment.window ?? null,
  });
  await spendNonces(world, input);
  await recordPermit(world, input, signers);
  await keepBefore(world, input, before);
  await permitStore.keepRollout({ rollout, permit, list });
  return receiptOf(world, list, started);
}

/** One rollout of a service at a time. */
async function refuseBesides({ settings, permitStore }: WorkerContext, rollout: RolloutRef): Promise<void> {
  const other = (await permitStore.open(rollout.service)).find(({ hash }) => hash !== rollout.hash);
  if (other)
    fail(
      'ROLLOUT_OPEN',
      `deployment ${other.deployment} is not closed in ${settings.environment}; finish it or ` +
        `run: soakgate recover ${other.deployment}`,
    );
}

function receiptOf({ fileVersion }: WorkerContext, list: StepList, started: number): Receipt {
  return {
    step: 'permit',
    kind: 'openRollout',
    verdict: 'pass',
    summary: `permit checked, ${count(list.steps.length, 'step')} kept`,
    details: [`by the environment file of ${fileVersion.readAt}, sha256 ${fileVersion.sha256}`],
    startedAt: new Date().toISOString(),
    tookMs: Math.round(performance.now() - started),
  };
}

/** The list as this worker compiles it, and that of the environment before; null where this is the first one. */
function recompile(
  permit: Permit,
  environment: string,
): { list: StepList; first: boolean; before: StepList | null } {
  const { body } = permit.start;
  const parsed = parsePlan(body.planText, body.planFile);
  if (!('plan' in parsed))
    fail(
      'PERMIT_REFUSED',
      'the plan does not parse here',
      parsed.complaints.map((complaint) => `${complaint.path}: ${complaint.message}`),
    );
  if (hashJson(parsed.plan) !== body.plan) fail('PERMIT_REFUSED', 'the plan differs from the signed plan');
  const { plan } = parsed;
  const { commit, files, pace } = body;
  const compiled = (name: string) => compileSteps({ plan, environment: name, commit, files, pace });
  const place = plan.environments.findIndex(({ name }) => name === environment);
  const before = plan.environments[place - 1];
  return { list: compiled(environment), first: place === 0, before: before ? compiled(before.name) : null };
}

/** Where the gate rests on a soak, it is the one of the environment before, and long enough. */
function checkSoakBefore(
  { guardrails }: EnvironmentSettings,
  permit: Permit,
  list: StepList,
  before: StepList | null,
): void {
  const statement = permit.gateReport?.gateReport.statement;
  if (!before || !statement || !list.gate?.sealed.length) return;
  const least = list.gate.sealed.includes('soak-passed') ? (guardrails.soakMs ?? 0) : 0;
  const wanted = permit.start.body.lists[before.environment.name] ?? '';
  const fault = soakFault(statement, before, wanted, least);
  if (fault !== null) fail('PERMIT_REFUSED', fault);
}

/** A start's expiry limits when it may first be used, which the first environment sees; a soak may outlast it. */
function checkStart(world: Judge, { start }: Permit, deployment: string): readonly Person[] {
  if (start.body.deployment !== deployment)
    fail('PERMIT_REFUSED', 'the start was signed for another deployment');
  const verdict = judgeStart(world, start);
  return 'refused' in verdict ? fail('PERMIT_REFUSED', verdict.refused) : verdict.signers;
}

/** What the gate asks of people is checked here again, by the place that it opens. */
function checkApprovals(
  world: Judge,
  permit: Permit,
  list: StepList,
  listHash: string,
  signers: readonly Person[],
): void {
  const { settings } = world;
  const { gate } = list;
  const roles: readonly string[] = [
    ...new Set([
      ...(gate?.approved?.roles ?? []),
      ...('each' in settings.guardrails.approve ? settings.guardrails.approve.each : []),
    ]),
  ];
  const anyOf = 'any' in settings.guardrails.approve ? settings.guardrails.approve.any : [];
  if (roles.length === 0 && anyOf.length === 0 && !gate?.sealed.length && !gate?.attested.length) return;
  const sealed = checkGateReport(settings, permit, list, listHash);
  const people = permit.approvals.map((signed) => {
    refuseRequester(permit, signed, signers);
    return checkApproval(world, signed, sealed, listHash);
  });
  const quorum = quorumMet({ each: roles }, people);
  if (!quorum.met) fail('PERMIT_REFUSED', `approval is missing: ${quorum.missing.join(', ')}`);
  if (!quorumMet({ any: anyOf }, people).met)
    fail('PERMIT_REFUSED', `approval is missing: one of ${anyOf.join(', ')}`);
  for (const wanted of gate?.attested ?? []) {
    if (!permit.attestations.some((signed) => isAttestation(world, signed, wanted, sealed.gateReport)))
      fail('PERMIT_REFUSED', `attestation ${wanted.id} is missing`);
  }
}

function checkGateReport(
  settings: EnvironmentSettings,
  permit: Permit,
  list: StepList,
  listHash: string,
): SealedGateReport {
  const sealed = permit.gateReport ?? fail('PERMIT_REFUSED', 'there is no gate report');
  const { gateReport } = sealed;
  const unsealed = sealFault(settings, sealed);
  if (unsealed !== null) fail('PERMIT_REFUSED', unsealed);
  const about = {
    deployment: permit.start.body.deployment,
    environment: settings.environment,
    list: listHash,
    commit: list.commit,
    plan: permit.start.body.plan,
  };
  if (Object.entries(about).some(([name, value]) => gateReport[name as keyof typeof about] !== value))
    fail('PERMIT_REFUSED', 'the gate report is about something else');
  const fault = restFault(settings, gateReport);
  if (fault !== null) fail('PERMIT_REFUSED', fault);
  const open = (list.gate?.sealed ?? []).filter((fact) => gateReport.facts[fact]?.holds !== true);
  if (open.length > 0) fail('PERMIT_REFUSED', `the gate report does not hold: ${open.join(', ')}`);
  return sealed;
}

/** Whoever has signed the start asks for the deployment, and approves none of it. */
function refuseRequester({ start }: Permit, { person }: Signed, signers: readonly Person[]): void {
  if (signers.some(({ name }) => name === person))
    fail('PERMIT_REFUSED', requesterRefused(person, start.person));
}

function checkApproval(
  world: Judge,
  signed: Signed,
  { gateReport, hash }: SealedGateReport,
  listHash: string,
): { name: string; roles: readonly string[] } {
  const body = signed.body as unknown as ApproveBody;
  const verdict = judgePerson(world, signed, 'approve', { any: [] });
  if (!verdict.accepted) fail('PERMIT_REFUSED', `approval by ${signed.person}: ${verdict.reason}`);
  const about = {
    deployment: gateReport.deployment,
    environment: world.settings.environment,
    gateReport: hash,
    list: listHash,
    plan: gateReport.plan,
    commit: gateReport.commit,
  };
  if (Object.entries(about).some(([name, value]) => body[name as keyof typeof about] !== value))
    fail('PERMIT_REFUSED', `the approval by ${signed.person} is about something else`);
  return { name: signed.person, roles: verdict.roles };
}

/**
 * Who has the role that the gate asks for, and has attested it in this permit: nobody else starts the clock
 * of a notice.
 */
function noticeGivers(world: Judge, permit: Permit, list: StepList): readonly string[] {
  const wanted = list.gate?.attested.find(({ id }) => id === NOTICE);
  const { gateReport } = permit;
  if (!wanted || !gateReport) return [];
  return permit.attestations
    .filter((signed) => isAttestation(world, signed, wanted, gateReport.gateReport))
    .map(({ person }) => person);
}

function isAttestation(world: Judge, signed: Signed, wanted: Attestation, gateReport: GateReport): boolean {
  const body = signed.body as unknown as AttestBody;
  const about = {
    attestation: wanted.id,
    text: wanted.text,
    deployment: gateReport.deployment,
    environment: world.settings.environment,
    plan: gateReport.plan,
  };
  return (
    judgePerson(world, signed, 'attest', { any: [wanted.role] }).accepted &&
    Object.entries(about).every(([name, value]) => body[name as keyof typeof about] === value)
  );
}
