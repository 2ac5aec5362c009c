// Maintenance by flag file: entered, seen from outside, left only through the checks of the state reached.
import { resolve } from 'node:path';
import { fail } from '../../src/core/failures.ts';
import { get } from '../../src/io/http.ts';
import type { StepResult, UndoResult } from '../frame/receipt.ts';
import { ownFile } from '../frame/own-files.ts';
import { outsideAddress, type Work } from '../frame/step-context.ts';
import { isRaised, lowerFlag, raiseFlag } from './flag-file.ts';

const SEEN_WITHIN_MS = 15_000;
/** What a proxy says when the service behind it is gone. */
const NOBODY_BEHIND = [502, 504];

export async function enterMaintenance(work: Work): Promise<StepResult> {
  const { answers } = settings(work);
  return (await close(work, (status) => status === answers))
    ? { verdict: 'pass', summary: `the site answers ${answers}` }
    : { verdict: 'fail', summary: `the flag file is there, but the site does not answer ${answers}` };
}

/**
 * First act of a rollback; a site that does not look closed stops it, because its users would meet what rolls
 * back.
 */
export async function closeSite(work: Work): Promise<UndoResult> {
  const { answers } = settings(work);
  // Where nothing answers any more, nobody gets through either.
  return (await close(
    work,
    (status) => status === answers || status === null || NOBODY_BEHIND.includes(status),
  ))
    ? { done: true, summary: `the site is closed: ${answers}, or no answer at all`, differences: [] }
    : {
        done: false,
        summary: 'the site is not closed',
        differences: [`the flag file is there, but the site does not answer ${answers}`],
      };
}

async function close(work: Work, closed: (status: number | null) => boolean): Promise<boolean> {
  await raiseFlag(await flagFile(work), work.rollout.deployment);
  return seenOutside(work, closed);
}

export async function leaveMaintenance(work: Work): Promise<StepResult> {
  const open = await leave(work);
  return open
    ? { verdict: 'pass', summary: 'the site is open again' }
    : { verdict: 'fail', summary: 'the flag file is gone, but the site does not answer' };
}

/** Undo of enter: left through a look at the state reached; a site that is not well stays behind its flag. */
export async function endMaintenance(work: Work): Promise<UndoResult> {
  const { inside, health } = settings(work);
  const file = await flagFile(work);
  if (!(await isRaised(file))) return { done: true, summary: 'maintenance was not on', differences: [] };
  if (inside) {
    const answer = await get(new URL(health, inside).href);
    if (answer.status === null || answer.status >= 400)
      return {
        done: false,
        summary: 'the site is unhealthy behind the flag',
        differences: [
          `maintenance stays on: ${new URL(health, inside).href} answers ` +
            `${answer.status ?? answer.error}; when it is well remove ${file}`,
        ],
      };
  }
  return (await leave(work))
    ? { done: true, summary: 'the site is open again', differences: [] }
    : {
        done: false,
        summary: 'the site does not answer',
        differences: ['the flag file is gone, but the site does not answer'],
      };
}

async function leave(work: Work): Promise<boolean> {
  const { answers } = settings(work);
  await lowerFlag(await flagFile(work));
  return seenOutside(work, (status) => status !== null && status !== answers && status < 500);
}

async function seenOutside(work: Work, wanted: (status: number | null) => boolean): Promise<boolean> {
  const deadline = performance.now() + SEEN_WITHIN_MS;
  for (;;) {
    if (wanted((await get(outsideAddress(work))).status)) return true;
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 100));
    work.signal.throwIfAborted();
  }
}

/** What the environment's own file names lies where it says. */
async function flagFile(work: Work): Promise<string> {
  const { service, list } = work;
  return service['flag-file'] === undefined
    ? ownFile(work, list.environment.maintenance?.flagFile ?? '')
    : resolve(service.root, service['flag-file']);
}

function settings(work: Work): {
  answers: number;
  inside?: string | undefined;
  health: string;
} {
  const maintenance =
    work.list.environment.maintenance ??
    fail('SERVICE_FAILED', `the plan has no maintenance for ${work.list.environment.name}`);
  return {
    answers: maintenance.answers,
    inside: work.service.inside ?? maintenance.inside,
    health: maintenance.health,
  };
}
