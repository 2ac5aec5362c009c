// release and switch: the pinned commit made ready beside what runs, then run; the runtime knows how.
import { join } from 'node:path';
import { fail } from '../../src/core/failures.ts';
import { hashFile, ifAbsent } from '../../src/io/files.ts';
import type { StepResult, UndoResult } from '../frame/receipt.ts';
import type { Work } from '../frame/step-context.ts';
import { runtimeOf } from '../runtimes/index.ts';

const PREVIOUS_NOTE = 'previous-release';

export async function release(work: Work): Promise<StepResult> {
  const runtime = runtimeOf(work);
  await runtime.prepare(work);
  const changed = await changedFiles(work);
  if (changed.length > 0) fail('FILE_CHANGED', `at commit ${work.list.commit.slice(0, 12)}`, changed);
  await work.world.permitStore.noteOnce(work.rollout, PREVIOUS_NOTE, (await runtime.running(work)) ?? '');
  return {
    verdict: 'pass',
    summary: `${work.list.commit.slice(0, 12)} checked out beside the running release`,
  };
}

async function changedFiles(work: Work): Promise<readonly string[]> {
  const looks = Object.entries(work.list.files).map(async ([path, expected]) => {
    const found = await hashFile(join(work.checkout, path)).catch(ifAbsent(undefined));
    return found?.sha256 === expected ? [] : [`${path} is ${found ? 'another file' : 'missing'}`];
  });
  return (await Promise.all(looks)).flat();
}

/** switch: the release of this rollout. */
export async function switchRelease(work: Work): Promise<StepResult> {
  return { verdict: 'pass', summary: await runtimeOf(work).switchTo(work, work.list.commit) };
}

/** Undo of switch: the release that served before this rollout began. */
export async function revertSwitch(work: Work): Promise<UndoResult> {
  const previous = await work.world.permitStore.note(work.rollout, PREVIOUS_NOTE);
  return runtimeOf(work).revertTo(work, previous || undefined);
}
