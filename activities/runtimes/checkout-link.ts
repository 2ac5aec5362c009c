// The link `current` to one of several checkouts; switched by one rename.
import { existsSync } from 'node:fs';
import { readlink, rename, rm, symlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { ifAbsent } from '../../src/io/files.ts';
import type { Work } from '../frame/step-context.ts';
import { BUILD_FILE, checkOut } from './checkout.ts';
import { checkoutFolder } from './checkout-folder.ts';
import type { OfService, Runtime } from './runtime.ts';

const linkOf = ({ service }: OfService): string => join(service.root, 'current');

export const checkoutLink: Runtime = {
  prepare: async (work) => {
    if (!existsSync(join(work.checkout, BUILD_FILE))) await checkOut(work);
  },
  running: async (work) => {
    const target = await readlink(linkOf(work)).catch(ifAbsent(undefined));
    return target?.split('/').at(-1);
  },
  folder: linkOf,
  switchTo: pointTo,
  revertTo: async (work, before) => {
    if (before === undefined) {
      await rm(linkOf(work), { force: true });
      return { done: true, summary: 'no release served before; current removed', differences: [] };
    }
    if (!existsSync(checkoutFolder(work.service.root, before)))
      return {
        done: false,
        summary: 'the old checkout is missing',
        differences: [`releases/${before} is missing: check it out and point current to it`],
      };
    return { done: true, summary: await pointTo(work, before), differences: [] };
  },
};

async function pointTo(work: Work, commit: string): Promise<string> {
  const { root } = work.service;
  const beside = `${linkOf(work)}.${work.tag.split(':').at(-1)}`;
  await rm(beside, { force: true });
  await symlink(relative(root, checkoutFolder(root, commit)), beside);
  await rename(beside, linkOf(work));
  return `current → ${commit.slice(0, 12)}`;
}
