// The rollback: exactly the planned list, in its order, then the comparison. Ends `restored` or `stuck`.
import { count } from '../src/core/count.ts';
import type { Comparison } from '../src/core/activities.ts';
import { quorumMet } from '../src/core/quorum.ts';
import type { VerifiedMessage, Signed } from '../src/core/messages.ts';
import type { UndoReceipt } from '../src/core/receipts.ts';
import { stillShut } from '../src/core/undo.ts';
import type { StackEntry } from '../src/core/step-list.ts';
import type { RolloutResult } from './contract.ts';
import type { Answered } from './rollout-inbox.ts';
import { controlActivities, environmentActivities } from './activities.ts';
import { show } from './progress.ts';
import { failureText } from './failure-text.ts';
import { type RolloutState, setWaiting, type RollbackRequested } from './rollout-state.ts';

/** Walks the rollback in a scope that nothing cancels; when it fails, people choose: again, another fallback of the matrix, or leave it. */
export async function rollBack(state: RolloutState, wanted: RollbackRequested): Promise<RolloutResult> {
  const { rollout } = state.input.run;
  const why = wanted.message;
  state.progress.phase = 'rolling back';
  state.progress.health = 'troubled';
  state.progress.notes.push(`rolling back: ${why}`);
  setWaiting(state, null, null);
  const undos: UndoReceipt[] = [];
  let way = await chooseWay(state, wanted.fallback, wanted.by ? [wanted.by] : []);
  for (;;) {
    const stopped = await walkBack(state, way, undos);
    const comparison = stopped ? null : await compare(state, way.entries);
    const differences = stopped ? [...stopped, ...stillShut(undos)] : (comparison?.differences ?? []);
    if (differences.length === 0) return ended(state, why, undos, comparison);
    const { word, by } = await waitForPerson(state, differences, await otherFallbacks(state, way.fallback));
    if (word === 'leave-as-is')
      return {
        environment: rollout.environment,
        outcome: 'stuck',
        reason: why,
        receipts: state.receipts,
        undos,
        differences,
        soak: state.soak,
      };
    if (word !== 'retry') way = await chooseWay(state, word, by ? [by] : []);
  }
}

interface Way {
  readonly fallback: string | null;
  readonly entries: readonly StackEntry[];
  readonly approvals: readonly Signed[];
}

/** The ordered list of a fallback, lastSent before it runs; first what people must sign for it, because it loses something. */
async function chooseWay(
  state: RolloutState,
  wanted: string | null,
  given: readonly VerifiedMessage[],
): Promise<Way> {
  const { list } = state.input.run;
  const decided = await approvalsFor(state, wanted, given);
  const fallback = decided ? wanted : null;
  const entries = await controlActivities('plan the rollback').planRollback({
    list,
    stack: state.stack,
    passed: state.passed,
    fallback,
  });
  state.progress.notes.push(
    entries.length > 0
      ? `the rollback: ${entries.map((entry) => `${entry.undo.undo} (${entry.step})`).join(' → ')}`
      : 'nothing to undo',
  );
  return { fallback, entries, approvals: (decided ?? []).map(({ signed }) => signed) };
}

/** Null when people would rather undo step by step. */
async function approvalsFor(
  state: RolloutState,
  name: string | null,
  given: readonly VerifiedMessage[],
): Promise<readonly VerifiedMessage[] | null> {
  const { list, rollout } = state.input.run;
  const fallback = name === null ? undefined : list.fallbacks[name];
  if (!fallback || !('restore' in fallback)) return given;
  const signed = [...given];
  for (;;) {
    const people = signed.map(({ signed: { person }, roles }) => ({ name: person, roles }));
    const { met, missing } = quorumMet({ each: fallback.approved?.roles ?? [] }, people);
    if (met) return signed;
    const reason = `approval of ${name} by ${missing.join(' and ')}: what was written since the backup is lost`;
    const { word, by } = await ask(
      state,
      [name!, 'stop'],
      reason,
      `soakgate decide ${rollout.deployment} ${rollout.environment} ${name}`,
    );
    if (word === 'stop') return null;
    if (by) signed.push(by);
  }
}

/** What the matrix offers when this rollback goes wrong. */
async function otherFallbacks(state: RolloutState, fallback: string | null): Promise<readonly string[]> {
  const { list } = state.input.run;
  const name = fallback ?? Object.entries(list.fallbacks).find(([, way]) => 'downgrade' in way)?.[0];
  if (name === undefined) return [];
  const decision = await controlActivities(`what to do about fallback ${name}`).decide({
    list,
    trouble: { fallback: name, is: 'fail' },
  });
  const words = decision.do === 'ask' ? decision.ask : decision.do === 'fallback' ? [decision.name] : [];
  return words.filter(
    (word) => word !== name && Object.hasOwn(list.fallbacks, word) && !('forward' in list.fallbacks[word]!),
  );
}

/** Null when all are done; else the differences that remain. An undo that was done is not run again. */
async function walkBack(
  state: RolloutState,
  { entries, approvals }: Way,
  undos: UndoReceipt[],
): Promise<readonly string[] | null> {
  const { rollout, list } = state.input.run;
  const isOf = (entry: StackEntry) => (undo: UndoReceipt) =>
    undo.step === entry.step && undo.undo === entry.undo.undo && undo.done;
  // Two forward fixes have two undos of one step: what is done is counted off, entry by entry, not asked for by its name.
  const earlier = [...undos];
  for (const entry of entries) {
    const done = earlier.findIndex(isOf(entry));
    if (done >= 0) {
      earlier.splice(done, 1);
      continue;
    }
    const line = state.progress.lines[entry.index]!;
    const step = list.steps[entry.index]!;
    try {
      const receipt = await environmentActivities(
        rollout.environment,
        `undo ${entry.step}`,
        state.heartbeatMs,
        'undo',
      )[entry.undo.undo]({
        rollout,
        step,
        args: entry.undo.args,
        ...(entry.undo.undo === 'restore' && { approvals }),
      });
      undos.push(receipt);
      Object.assign(line, { state: receipt.done ? 'undone' : 'not undone', summary: receipt.summary });
      if (!receipt.done) return receipt.differences;
    } catch (error) {
      Object.assign(line, { state: 'not undone', summary: failureText(error) });
      return [`${entry.undo.undo} of ${entry.step} failed: ${failureText(error)}`];
    } finally {
      show(state.progress, state.lastSent);
    }
  }
  return null;
}

async function compare(state: RolloutState, entries: readonly StackEntry[]): Promise<Comparison> {
  const { rollout } = state.input.run;
  const comparison = await environmentActivities(
    rollout.environment,
    'compare with what was recorded',
    state.heartbeatMs,
    'undo',
  )
    .compareRollback({ rollout, ran: entries })
    .catch((error: unknown): Comparison => ({
      equal: false,
      differences: [`the comparison failed: ${failureText(error)}`],
      writtenSince: [],
      summary: 'not compared',
    }));
  state.progress.notes.push(comparison.summary, ...comparison.writtenSince.slice(0, 10));
  return comparison;
}

async function waitForPerson(
  state: RolloutState,
  differences: readonly string[],
  fallbacks: readonly string[],
): Promise<Answered> {
  const { rollout } = state.input.run;
  state.progress.phase = 'stuck';
  state.progress.health = 'stuck';
  state.progress.notes.push(...differences.map((line) => `differences remain: ${line}`));
  const next = `soakgate decide ${rollout.deployment} ${rollout.environment} retry`;
  const told = `stuck: ${differences.join('; ').slice(0, 500)}`;
  const answer = await ask(
    state,
    ['retry', ...fallbacks, 'leave-as-is'],
    `manual fix needed: ${count(differences.length, 'difference remains', 'differences remain')}`,
    next,
    told,
  );
  if (answer.word !== 'leave-as-is') {
    state.progress.phase = 'rolling back';
    state.progress.health = 'troubled';
    show(state.progress, state.lastSent);
  }
  return answer;
}

async function ask(
  state: RolloutState,
  options: readonly string[],
  reason: string,
  next: string,
  told = reason,
): Promise<Answered> {
  const { environment } = state.input.run.rollout;
  setWaiting(state, reason, next);
  await state.inbox.notifyDeployment({ is: 'waiting', environment, reason: told });
  const answer = await state.inbox.ask(options, undefined);
  state.progress.notes.push(`decided: ${answer.word}`);
  setWaiting(state, null, null);
  await state.inbox.notifyDeployment({ is: 'waiting', environment, reason: null });
  return answer;
}

function ended(
  state: RolloutState,
  why: string,
  undos: readonly UndoReceipt[],
  comparison: Comparison | null,
): RolloutResult {
  state.progress.phase = 'restored';
  state.progress.health = 'good';
  setWaiting(state, null, null);
  const outcome = state.touched || undos.length > 0 ? 'restored' : 'failed';
  return {
    environment: state.input.run.rollout.environment,
    outcome,
    reason: why,
    receipts: state.receipts,
    undos,
    differences: [],
    soak: state.soak,
    ...(comparison && { comparison }),
  };
}
