// The first activity in an environment: the permit is checked where it opens something, and kept (rule 8).
import { hostname } from 'node:os';
import type { EnterInput } from '../src/core/activities.ts';
import { sameJson } from '../src/core/canonical.ts';
import { fail } from '../src/core/failures.ts';
import { floorComplaints, quorumMet } from '../src/core/floor.ts';
import { NOTICE } from '../src/core/gate.ts';
import { type ApproveBody, type AttestBody, type Dossier, type Permit, type SealedDossier, type Signed, signedText } from '../src/core/messages.ts';
import { parsePlan } from '../src/core/plan/parse.ts';
import type { Attestation } from '../src/core/plan/plan.ts';
import type { Receipt } from '../src/core/receipts.ts';
import { compileSteps, type StepList } from '../src/core/steps.ts';
import { sha256, writeOnce } from '../src/io/files.ts';
import type { EnvironmentSettings } from '../src/io/settings.ts';
import { hashJson, verifyText } from '../src/io/trust.ts';
import { refuseOutside } from './at-entry.ts';
import { evidenceFolder, slug, startRecord } from './places.ts';
import { isExpired, judgePerson } from './verify.ts';
import { fromItsRollout, type World } from './work.ts';

/**
 * Checks signatures, roles, expiry, hashes, facts and floor; recompiles the list; keeps permit and list.
 * @throws StepFailure PERMIT_REFUSED or FLOOR_REFUSED naming what is wrong, before any command has run.
 */
export async function enter(world: World, input: EnterInput): Promise<Receipt> {
  const started = performance.now();
  const { rollout, permit } = input;
  fromItsRollout(rollout);
  const { settings, kept } = world;
  await refuseSecondHost(world);
  const already = await kept.rollout(rollout);
  if (already) {
    if (!sameJson(already.rollout, rollout) || !sameJson(already.permit, permit)) fail('PERMIT_REFUSED', 'another permit is kept for this rollout');
    if ((await kept.closed(rollout)) !== undefined) fail('PERMIT_REFUSED', 'this permit is dead: its rollout is closed');
    return receiptOf(already.list, started);
  }
  if (rollout.environment !== settings.environment || permit.environment !== settings.environment)
    fail('PERMIT_REFUSED', `this worker is ${settings.environment}, the permit is for ${permit.environment}`);
  const { list, first } = recompile(permit, settings.environment);
  checkStart(settings, permit, rollout.deployment, first);
  if (rollout.hash !== sha256(`${rollout.deployment}/${rollout.environment}`).slice(0, 10) || rollout.service !== list.service)
    fail('PERMIT_REFUSED', 'the names of this rollout are not derived from its deployment');
  if (hashJson(list) !== rollout.list || permit.start.body.lists[settings.environment] !== rollout.list)
    fail('PERMIT_REFUSED', 'the list that was signed is not what plan, environment and pace compile to');
  const complaints = floorComplaints(list, settings.floor);
  if (complaints.length > 0) fail('FLOOR_REFUSED', complaints.join('; '), complaints);
  checkApprovals(settings, permit, list, rollout.list);
  const others = (await kept.open(rollout.service)).filter((other) => other.hash !== rollout.hash);
  if (others[0])
    fail(
      'ROLLOUT_OPEN',
      `deployment ${others[0].deployment} is not closed in ${settings.environment}; finish it or run: soakgate recover ${others[0].deployment}`,
    );
  await refuseOutside(world, {
    deployment: rollout.deployment,
    facts: list.gate?.atEntry ?? [],
    noticeBy: noticeGivers(settings, permit, list),
    window: list.environment.window ?? null,
  });
  for (const signed of [permit.start, ...permit.approvals, ...permit.attestations]) {
    const spender = `${rollout.deployment}/${signed.message}`;
    const nonce = `${signed.person}-${(signed.body as { nonce: string }).nonce}`;
    if ((await kept.spendNonce(nonce, spender)) !== spender) fail('PERMIT_REFUSED', `the ${signed.message} of ${signed.person} has been used before`);
  }
  await recordPermit(world, input);
  await kept.keepRollout({ rollout, permit, list });
  return receiptOf(list, started);
}

function receiptOf(list: StepList, started: number): Receipt {
  return {
    step: 'enter',
    kind: 'enter',
    verdict: 'pass',
    summary: `permit checked, ${list.steps.length} steps kept`,
    startedAt: new Date().toISOString(),
    tookMs: Math.round(performance.now() - started),
  };
}

/** Artifacts in a directory: a second host would not find them (rule 9). */
async function refuseSecondHost(world: World): Promise<void> {
  const first = await writeOnce(`${world.settings.used}/host`, hostname());
  if (first !== hostname()) fail('SECOND_HOST', `artifacts of ${world.settings.environment} lie on ${first}, this is ${hostname()}`);
}

/** What opened this environment, into the evidence as it happens; approvals were written when they were verified. */
async function recordPermit({ artifacts }: World, { rollout, permit }: EnterInput): Promise<void> {
  const folder = evidenceFolder(rollout.deployment);
  await artifacts.put(`${folder}/plan.yaml`, permit.start.body.planText);
  await artifacts.put(`${folder}/approvals/start.json`, startRecord(permit.start));
  if (permit.dossier) await artifacts.put(`${folder}/approvals/${slug(rollout.environment)}/dossier.json`, JSON.stringify(permit.dossier, null, 1));
}

/** The list as this worker compiles it, and whether this is the environment that is entered first. */
function recompile(permit: Permit, environment: string): { list: StepList; first: boolean } {
  const { body } = permit.start;
  const parsed = parsePlan(body.planText, body.planFile);
  if (!('plan' in parsed))
    fail(
      'PERMIT_REFUSED',
      'the plan does not parse here',
      parsed.complaints.map((complaint) => `${complaint.path}: ${complaint.message}`),
    );
  if (hashJson(parsed.plan) !== body.plan) fail('PERMIT_REFUSED', 'the plan is not the one that was signed');
  const list = compileSteps({ plan: parsed.plan, environment, commit: body.commit, files: body.files, pace: body.pace });
  return { list, first: parsed.plan.environments[0]?.name === environment };
}

/** A start's expiry limits when it may first be used, which the first environment sees; a soak may outlast it. */
function checkStart(settings: EnvironmentSettings, permit: Permit, deployment: string, first: boolean): void {
  const { start } = permit;
  if (start.body.deployment !== deployment) fail('PERMIT_REFUSED', 'the start was signed for another deployment');
  const verdict = judgePerson(settings, start, 'start', settings.floor.start);
  if (!verdict.accepted) fail('PERMIT_REFUSED', `start by ${start.person}: ${verdict.reason}`);
  if (first && isExpired(start)) fail('PERMIT_REFUSED', `start by ${start.person}: the signature has expired`);
}

/** What the gate asks of people is checked here again, by the place that it opens. */
function checkApprovals(settings: EnvironmentSettings, permit: Permit, list: StepList, listHash: string): void {
  const { gate } = list;
  const roles: readonly string[] = [
    ...new Set([...(gate?.approved?.roles ?? []), ...('each' in settings.floor.approve ? settings.floor.approve.each : [])]),
  ];
  const anyOf = 'any' in settings.floor.approve ? settings.floor.approve.any : [];
  if (roles.length === 0 && anyOf.length === 0 && !gate?.sealed.length && !gate?.attested.length) return;
  const sealed = checkDossier(settings, permit, list, listHash);
  const people = permit.approvals.map((signed) => checkApproval(settings, permit, signed, sealed, listHash));
  const quorum = quorumMet({ each: roles }, people);
  if (!quorum.met) fail('PERMIT_REFUSED', `approval is missing: ${quorum.missing.join(', ')}`);
  if (!quorumMet({ any: anyOf }, people).met) fail('PERMIT_REFUSED', `approval is missing: one of ${anyOf.join(', ')}`);
  for (const wanted of gate?.attested ?? []) {
    if (!permit.attestations.some((signed) => isAttestation(settings, signed, wanted, sealed.dossier)))
      fail('PERMIT_REFUSED', `attestation ${wanted.id} is missing`);
  }
}

function checkDossier(settings: EnvironmentSettings, permit: Permit, list: StepList, listHash: string): SealedDossier {
  const sealed = permit.dossier ?? fail('PERMIT_REFUSED', 'there is no dossier');
  const { dossier } = sealed;
  const signed = verifyText(settings.control, signedText('dossier', 'control', dossier), sealed.signature);
  if (hashJson(dossier) !== sealed.hash || !signed) fail('PERMIT_REFUSED', 'the dossier is not signed by the control key of this environment');
  const about = {
    deployment: permit.start.body.deployment,
    environment: settings.environment,
    list: listHash,
    commit: list.commit,
    plan: permit.start.body.plan,
  };
  if (Object.entries(about).some(([name, value]) => dossier[name as keyof typeof about] !== value))
    fail('PERMIT_REFUSED', 'the dossier is about something else');
  const open = (list.gate?.sealed ?? []).filter((fact) => dossier.facts[fact]?.holds !== true);
  if (open.length > 0) fail('PERMIT_REFUSED', `the dossier does not hold: ${open.join(', ')}`);
  return sealed;
}

function checkApproval(
  settings: EnvironmentSettings,
  permit: Permit,
  signed: Signed,
  { dossier, hash }: SealedDossier,
  listHash: string,
): { name: string; roles: readonly string[] } {
  const body = signed.body as unknown as ApproveBody;
  const verdict = judgePerson(settings, signed, 'approve', { any: [] });
  if (!verdict.accepted) fail('PERMIT_REFUSED', `approval by ${signed.person}: ${verdict.reason}`);
  if (signed.person === permit.start.person) fail('PERMIT_REFUSED', `${signed.person} requested this deployment and cannot approve it`);
  const about = {
    deployment: dossier.deployment,
    environment: settings.environment,
    dossier: hash,
    list: listHash,
    plan: dossier.plan,
    commit: dossier.commit,
  };
  if (Object.entries(about).some(([name, value]) => body[name as keyof typeof about] !== value))
    fail('PERMIT_REFUSED', `the approval by ${signed.person} is about something else`);
  return { name: signed.person, roles: verdict.roles };
}

/** Who has the role that the gate asks for, and has attested it in this permit: nobody else starts the clock of a notice. */
function noticeGivers(settings: EnvironmentSettings, permit: Permit, list: StepList): readonly string[] {
  const wanted = list.gate?.attested.find(({ id }) => id === NOTICE);
  const { dossier } = permit;
  if (!wanted || !dossier) return [];
  return permit.attestations.filter((signed) => isAttestation(settings, signed, wanted, dossier.dossier)).map(({ person }) => person);
}

function isAttestation(settings: EnvironmentSettings, signed: Signed, wanted: Attestation, dossier: Dossier): boolean {
  const body = signed.body as unknown as AttestBody;
  const about = { attestation: wanted.id, text: wanted.text, deployment: dossier.deployment, environment: settings.environment, plan: dossier.plan };
  return (
    judgePerson(settings, signed, 'attest', { any: [wanted.role] }).accepted &&
    Object.entries(about).every(([name, value]) => body[name as keyof typeof about] === value)
  );
}
