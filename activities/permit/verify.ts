// Messages of people: who signed, whole and in time, with a role that counts; what counts is written into the
// evidence at once.
import type { VerifyInput } from '../../src/core/activities.ts';
import { NOTICE } from '../../src/core/gate.ts';
import { CLOCKS_MS } from '../../src/core/ledger.ts';
import { DAY_MS } from '../../src/core/pace.ts';
import { ACCEPT_STORE } from '../../src/core/gate.ts';
import type { Quorum } from '../../src/core/quorum.ts';
import type {
  ApproveBody,
  CountedBeside,
  VerifiedMessage,
  MessageName,
  Signed,
} from '../../src/core/messages.ts';
import type { MessageVerdict, SiftInput, SiftResult } from '../../src/core/message-verdict.ts';
import { writeOnce } from '../../src/io/files.ts';
import type { EnvironmentSettings } from '../../src/io/settings.ts';
import { startLacks } from '../../src/core/start-signers.ts';
import { verifyMessage } from '../../src/io/trust.ts';
import { approvalPath, gateReportPath } from '../frame/artifact-paths.ts';
import type { WorkerContext } from '../frame/step-context.ts';
import { restFault, sealFault } from './believe.ts';
import { isSealed } from './sealed.ts';
import { countTogether } from './together.ts';
import { rolloutHash } from '../../src/io/rollout-hash.ts';

/** What a worker judges people by: its file, and Temporal's namespace in which it works. */
export type Judge = Pick<WorkerContext, 'settings' | 'namespace' | 'fileFault'>;

/** Whether a signed message is by a known person, whole, in time, and by somebody with a role that counts. */
export function judgePerson(
  { settings, namespace, fileFault }: Judge,
  signed: Signed<object>,
  message: MessageName,
  quorum: Quorum,
): MessageVerdict {
  const refuse = (reason: string): MessageVerdict => ({
    accepted: false,
    person: signed.person,
    roles: [],
    reason,
  });
  // Who was taken out of the file may be among those whom the last readable version trusts.
  if (fileFault !== null) return refuse(`not counted: ${fileFault}; mend the file and send it again`);
  const person = settings.people.find((candidate) => candidate.name === signed.person);
  if (!person) return refuse(`${settings.environment} knows no person ${signed.person}`);
  if (signed.message !== message || !verifyMessage(signed, person.key))
    return refuse('the signature does not match the public key');
  const { namespace: signedFor } = signed.body as { namespace?: unknown };
  if (signedFor !== namespace)
    return refuse(
      `it is signed for Temporal's namespace ${JSON.stringify(signedFor ?? null)}, and this worker works in ` +
        `${namespace}; set TEMPORAL_NAMESPACE=${namespace} and sign again`,
    );
  // A start is used for as long as the deployment lasts; `openRollout` asks for its expiry where it is first
  // used.
  if (message !== 'start' && isExpired(signed)) return refuse('the signature has expired');
  const long = tooLong(settings, signed);
  if (long !== null) return refuse(`not counted: ${long}`);
  const roles = 'any' in quorum ? quorum.any : quorum.each;
  if (roles.length > 0 && !person.roles.some((role) => roles.includes(role)))
    return refuse(
      `needs a role of ${roles.join(', ')}; ${person.name} has ${person.roles.join(', ') || 'none'}`,
    );
  return { accepted: true, person: person.name, roles: person.roles, reason: 'counted' };
}

/** The clocks of two hosts are never the same. */
const LIFE_CLOCKS_MS = 3_600_000;

/** Whether the permit store is what the question is about: nobody accepts it beside another one. */
const asksForStore = ({ signed, expect: { question = '' } }: VerifyInput): boolean =>
  signed.message === 'decide' && question.includes(JSON.stringify(ACCEPT_STORE));

/** A word that is dated ahead would answer what nobody has asked yet. */
function datedFault({ body: { signedAt } }: Signed): string | null {
  const at = Date.parse(signedAt);
  if (Number.isNaN(at)) return 'it does not say when it was signed (signedAt)';
  return at <= Date.now() + CLOCKS_MS
    ? null
    : `it is dated ${signedAt}, which is still to come by this worker's clock; set the clocks and sign again`;
}

/** What allows something for years outlives the people who meant it. */
function tooLong({ guardrails, environment }: EnvironmentSettings, signed: Signed<object>): string | null {
  const { longestApprovalMs } = guardrails;
  if (longestApprovalMs === undefined || !['approve', 'attest'].includes(signed.message)) return null;
  const { expires } = signed.body as { expires: string };
  return Date.parse(expires) - Date.now() <= longestApprovalMs + LIFE_CLOCKS_MS
    ? null
    : `it is valid until ${expires}, and ${environment} takes no ${signed.message} that is valid for longer than ` +
        `${+(longestApprovalMs / DAY_MS).toFixed(2)} d (longest-approval); sign again with --expires`;
}

/** Why somebody who signed the start approves nothing of it. */
export const requesterRefused = (person: string, requester: string): string =>
  person === requester
    ? `${person} requested this deployment and cannot approve it`
    : `${person} has signed the start of this deployment and cannot approve it`;

/** No readable expiry is an expired one. */
export function isExpired(signed: Signed<object>): boolean {
  return !(Date.parse((signed.body as { expires?: string }).expires ?? '') > Date.now());
}

/** Verifies one message for the environment that it concerns; its refusal is an answer, not a failure. */
export async function verify(world: WorkerContext, input: VerifyInput): Promise<MessageVerdict> {
  const { settings } = world;
  const judge = async (signed: Signed): Promise<MessageVerdict> => {
    const judged = judgeMessage(world, { ...input, signed });
    const early = judged.accepted
      ? await world.record.tooEarly(input.deployment, input.environment, signed)
      : null;
    return early === null ? judged : { ...judged, accepted: false, reason: `not counted: ${early}` };
  };
  const verdict = await judge(input.signed);
  if (!verdict.accepted) return verdict;
  const together = await countTogether(world, input, quorumFor(settings, input.signed.message), judge);
  if ('spent' in together)
    return { ...verdict, accepted: false, reason: 'not counted: it has counted before; sign again' };
  if ('waiting' in together) return { ...verdict, waiting: together.waiting };
  let at: string | null = null;
  const others: CountedBeside[] = [];
  for (const signed of together.signatures) {
    const { nonce } = input.signed.body;
    const alone = together.signatures.length === 1;
    const counted = await record(world, { ...input, signed }, await judge(signed), alone ? undefined : nonce);
    if (signed.body.nonce === nonce) at = counted?.at ?? null;
    else others.push({ signed, roles: counted?.roles ?? [] });
  }
  // One word, however many had to sign it.
  await world.record.signed(input.deployment, input.environment, input.signed);
  await together.spend();
  if (asksForStore(input) && input.signed.body['decision'] === ACCEPT_STORE)
    await world.counter.accept(Date.parse(input.signed.body.signedAt));
  return { ...verdict, ...(at !== null && { at }), ...(others.length > 0 && { others }) };
}

/**
 * What nobody known has signed is found among many at once, before the others are verified one by one. For each: why
 * it cannot count, or null.
 */
export async function sift(world: WorkerContext, { deployment, signed }: SiftInput): Promise<SiftResult> {
  const { settings } = world;
  return signed.map((one) => {
    const fault = elsewhere(settings, one, deployment);
    if (fault !== null) return fault;
    const { accepted, reason } = judgePerson(world, one, one.message, quorumFor(settings, one.message));
    return accepted ? null : reason;
  });
}

const elsewhere = (
  { environment }: EnvironmentSettings,
  { body }: Signed,
  deployment: string,
): string | null =>
  body.deployment === deployment && body.environment === environment
    ? null
    : 'it is for another deployment or environment';

function judgeMessage(world: Judge, { signed, expect, deployment }: VerifyInput): MessageVerdict {
  const { settings } = world;
  const refuse = (reason: string): MessageVerdict => ({
    accepted: false,
    person: signed.person,
    roles: [],
    reason,
  });
  const misled = elsewhere(settings, signed, deployment);
  if (misled !== null) return refuse(misled);
  const verdict = judgePerson(world, signed, signed.message, quorumFor(settings, signed.message));
  if (!verdict.accepted) return verdict;
  const dated = datedFault(signed);
  if (dated !== null) return refuse(`not counted: ${dated}`);
  const body = signed.body as unknown as Partial<ApproveBody>;
  if (signed.message === 'approve') {
    const { requester, requesters = [requester] } = expect;
    if (requesters.includes(signed.person)) return refuse(requesterRefused(signed.person, requester));
    const lacks = startLacks(
      settings.guardrails.start,
      settings.people.filter(({ name }) => requesters.includes(name)),
    );
    if (expect.requesters && lacks !== null)
      return refuse(`not counted: ${settings.environment} refuses the start: ${lacks}`);
    if (body.plan !== expect.plan || body.list !== expect.list || body.commit !== expect.commit)
      return refuse('it is about another plan, list or commit');
    if (body.gateReport !== expect.gateReport)
      return refuse(
        expect.gateReport
          ? 'it approves another gate report than the one that stands now'
          : 'no gate report is sealed yet',
      );
    // What would be refused at the end is refused before anybody relies on it.
    const { sealed } = expect;
    const fault = sealed ? (sealFault(settings, sealed) ?? restFault(settings, sealed.gateReport)) : null;
    if (fault !== null) return refuse(`not counted: ${fault}`);
  }
  if (signed.message === 'attest' && body.plan !== expect.plan) return refuse('it is about another plan');
  const uncounted = notWanted(settings, signed, verdict.roles, expect.gate);
  return uncounted === null ? verdict : refuse(`not counted: ${uncounted}`);
}

/** Why nothing at this gate is waiting for these words of this person; null where they count. */
function notWanted(
  { guardrails }: EnvironmentSettings,
  { message, person, body }: Signed,
  roles: readonly string[],
  gate: VerifyInput['expect']['gate'],
): string | null {
  const has = `${person} has ${roles.join(', ') || 'none'}`;
  if (message === 'approve') {
    const { approve } = guardrails;
    const wanted = [...new Set([...(gate?.roles ?? []), ...('any' in approve ? approve.any : approve.each)])];
    return wanted.length === 0 || roles.some((role) => wanted.includes(role))
      ? null
      : `this gate waits for approval by ${wanted.join(', ')}; ${has}`;
  }
  if (message !== 'attest' || !gate) return null;
  const asked = gate.attested.find(({ id }) => id === body['attestation']);
  if (!asked)
    return `this gate asks for no attestation ${String(body['attestation'])}; it asks for ${
      gate.attested.map(({ id }) => id).join(', ') || 'none'
    }`;
  if (body['text'] !== asked.text) return `it attests other words; this gate asks for: ${asked.text}`;
  return roles.includes(asked.role) ? null : `${asked.id} is attested by ${asked.role}; ${has}`;
}

/**
 * Written once, so that a second attempt finds the time of the first; a closed rollout's evidence is left
 * alone.
 */
async function record(
  world: WorkerContext,
  { signed, deployment, expect }: VerifyInput,
  { roles }: MessageVerdict,
  completedBy: string | undefined,
): Promise<VerifiedMessage | null> {
  const { environment } = world.settings;
  const at = new Date().toISOString();
  if ((await world.permitStore.closed({ hash: rolloutHash(deployment, environment) })) !== undefined)
    return { signed, roles, at };
  if (await isSealed(world.artifacts, deployment)) return { signed, roles, at };
  // What is counted from it is counted by this clock, from the first time.
  if (signed.message === 'attest' && signed.body['attestation'] === NOTICE)
    await world.permitStore.giveNotice(deployment, signed.person, at);
  const { sealed } = expect;
  if (signed.message === 'approve' && sealed)
    await world.artifacts.put(
      gateReportPath(deployment, environment, sealed.hash),
      JSON.stringify(sealed, null, 1),
    );
  const written: VerifiedMessage = { signed, roles, at, ...(completedBy !== undefined && { completedBy }) };
  const path = await world.artifacts.path(approvalPath(deployment, signed));
  return JSON.parse(await writeOnce(path, JSON.stringify(written, null, 1))) as VerifiedMessage;
}

function quorumFor({ guardrails }: EnvironmentSettings, message: MessageName): Quorum {
  if (message === 'approve' || message === 'attest' || message === 'reject') return { any: [] };
  if (message === 'decide') return guardrails.decide;
  return message === 'rollback'
    ? guardrails.rollback
    : message === 'start'
      ? guardrails.start
      : guardrails.operate;
}
