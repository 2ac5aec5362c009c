// The way back: exactly the planned list, in its order, then the comparison. Ends `restored` or `stuck`.
import type { Comparison } from '../src/core/activities.ts';
import type { UndoReceipt } from '../src/core/receipts.ts';
import type { StackEntry } from '../src/core/way-back.ts';
import type { RolloutResult } from './contract.ts';
import { controlActivities, environmentActivities } from './proxies.ts';
import { show } from './progress.ts';
import { failureText } from './failure-text.ts';
import { type Stay, waiting } from './stay.ts';

/** Walks the way back in a scope that nothing cancels. */
export async function goBack(stay: Stay, why: string, route: string | null): Promise<RolloutResult> {
  const { list, rollout } = stay.input.run;
  stay.progress.phase = 'going back';
  stay.progress.health = 'troubled';
  stay.progress.notes.push(`going back: ${why}`);
  waiting(stay, null, null);
  const entries = await controlActivities('plan the way back').planWayBack({ list, stack: stay.stack, passed: stay.passed, route });
  stay.progress.notes.push(
    entries.length > 0 ? `the way back: ${entries.map((entry) => `${entry.undo.undo} (${entry.step})`).join(' → ')}` : 'nothing to undo',
  );
  const undos: UndoReceipt[] = [];
  for (;;) {
    const stopped = await walkBack(stay, entries, undos);
    const comparison = stopped ? null : await compare(stay, entries);
    const left = stopped ?? comparison?.left ?? [];
    if (left.length === 0) return ended(stay, why, undos, comparison);
    if ((await waitForPerson(stay, left)) === 'leave')
      return { environment: rollout.environment, ending: 'stuck', reason: why, receipts: stay.receipts, undos, left, soak: stay.soak };
  }
}

/** Null when all are done; else what is still dirty. An undo that was done is not run again. */
async function walkBack(stay: Stay, entries: readonly StackEntry[], undos: UndoReceipt[]): Promise<readonly string[] | null> {
  const { rollout, list } = stay.input.run;
  for (const entry of entries) {
    if (undos.some((undo) => undo.step === entry.step && undo.undo === entry.undo.undo && undo.done)) continue;
    const line = stay.progress.lines[entry.index]!;
    const step = list.steps[entry.index]!;
    try {
      const receipt = await environmentActivities(rollout.environment, `undo ${entry.step}`, stay.heartbeatMs, 'undo')[entry.undo.undo]({
        rollout,
        step,
      });
      undos.push(receipt);
      Object.assign(line, { state: receipt.done ? 'undone' : 'not undone', summary: receipt.summary });
      if (!receipt.done) return receipt.left;
    } catch (error) {
      Object.assign(line, { state: 'not undone', summary: failureText(error) });
      return [`${entry.undo.undo} of ${entry.step} failed: ${failureText(error)}`];
    } finally {
      show(stay.progress, stay.shown);
    }
  }
  return null;
}

async function compare(stay: Stay, entries: readonly StackEntry[]): Promise<Comparison> {
  const { rollout } = stay.input.run;
  const comparison = await environmentActivities(rollout.environment, 'compare with what was recorded', stay.heartbeatMs, 'undo')
    .compareBack({ rollout, ran: entries })
    .catch((error: unknown): Comparison => ({
      equal: false,
      left: [`the comparison failed: ${failureText(error)}`],
      writtenSince: [],
      summary: 'not compared',
    }));
  stay.progress.notes.push(comparison.summary, ...comparison.writtenSince.slice(0, 10));
  return comparison;
}

async function waitForPerson(stay: Stay, left: readonly string[]): Promise<string> {
  const { rollout } = stay.input.run;
  stay.progress.phase = 'stuck';
  stay.progress.health = 'stuck';
  stay.progress.notes.push(...left.map((line) => `still dirty: ${line}`));
  waiting(stay, `a person: ${left.length} things are still dirty`, `soakgate decide ${rollout.deployment} ${rollout.environment} retry`);
  await stay.desk.tell({ is: 'waiting', environment: rollout.environment, reason: `stuck: ${left.join('; ').slice(0, 500)}` });
  const word = await stay.desk.ask(['retry', 'leave'], undefined);
  stay.progress.notes.push(`decided: ${word}`);
  if (word === 'retry') {
    stay.progress.phase = 'going back';
    stay.progress.health = 'troubled';
  }
  waiting(stay, null, null);
  await stay.desk.tell({ is: 'waiting', environment: rollout.environment, reason: null });
  return word;
}

function ended(stay: Stay, why: string, undos: readonly UndoReceipt[], comparison: Comparison | null): RolloutResult {
  stay.progress.phase = 'restored';
  stay.progress.health = 'good';
  waiting(stay, null, null);
  const ending = stay.touched || undos.length > 0 ? 'restored' : 'failed';
  return {
    environment: stay.input.run.rollout.environment,
    ending,
    reason: why,
    receipts: stay.receipts,
    undos,
    left: [],
    soak: stay.soak,
    ...(comparison && { comparison }),
  };
}
