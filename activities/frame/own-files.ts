// Files of the host that a plan names: pid files, flag files, logs. They lie below the folders that the environment's
// file names, and a link leads nowhere else.
import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fail } from '../../src/core/failures.ts';
import { isInside } from '../../src/core/places.ts';
import type { Work } from './step-context.ts';

/**
 * The path, with every link in its folders followed. `folder` is the one that the plan's path counts from. @throws
 * StepFailure NOT_PERMITTED where it, or a link that lies there, leads out of it and of what the guardrails allow.
 */
export async function ownFile(work: Work, path: string, folder = work.service.root): Promise<string> {
  const wanted = resolve(folder, path);
  const allowed = [folder, ...(work.world.settings.guardrails.files ?? [])].map((root) => resolve(root));
  const roots = await Promise.all(allowed.map(truePath));
  const target = await truePath(wanted);
  const isOwn =
    allowed.some((root) => isInside(root, wanted)) && roots.some((root) => isInside(root, target));
  if (!isOwn)
    fail(
      'NOT_PERMITTED',
      `${path} leads to ${target}, which is not below ${allowed.join(' or ')}; name its folder in the environment ` +
        'file under guardrails: files',
    );
  return join(await truePath(dirname(wanted)), basename(wanted));
}

/** With every link followed, as far as it is there. */
async function truePath(path: string): Promise<string> {
  const found = await realpath(path).catch(() => null);
  if (found !== null) return found;
  return dirname(path) === path ? path : join(await truePath(dirname(path)), basename(path));
}
