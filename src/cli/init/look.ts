// Reads a folder and says what was found in it.
import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { Problem } from '../../client/problem.ts';
import { gitRef } from '../../core/plan/forms.ts';
import { readIfThere } from '../../io/files.ts';
import { gitFacts, listFiles } from '../../io/working-folder.ts';
import { findBuild, findServices, plainName, readPackage } from './build.ts';
import { type Folder, type Found, READ } from './found.ts';
import { nearestFile } from '../../core/plan/migrators/places.ts';
import { findMigrations } from './migrations.ts';

/** @throws Problem when there is no such folder. */
export async function readFolder(path: string): Promise<Folder> {
  const whole = resolve(path);
  if (!(await stat(whole).catch(() => null))?.isDirectory())
    throw new Problem('usage', `there is no folder ${path}`, 'name the folder of your application');
  const [files, git] = await Promise.all([listFiles(whole), gitFacts(whole)]);
  const wanted = files.filter((file) => READ.some((name) => basename(file) === name));
  const texts = await Promise.all(
    wanted.map(async (file) => [file, (await readIfThere(join(whole, file))) ?? ''] as const),
  );
  return { name: basename(whole), files, texts: Object.fromEntries(texts), git };
}

/** @throws Problem when nothing in it says what is deployed, or by a tool that is not supported. */
export function lookAround(folder: Folder, units: readonly string[]): Found {
  const { migrations, notes } = findMigrations(folder);
  const { build, notes: built } = findBuild(folder);
  const described = nearestFile(folder, 'package.json');
  const python = nearestFile(folder, 'pyproject.toml') ?? nearestFile(folder, 'requirements.txt');
  if (!migrations && !build && built.length === 0 && !described && !python && units.length === 0)
    throw new Problem(
      'usage',
      `nothing in ${folder.name} says what is deployed: no manage.py, no numbered SQL files with ` +
        'down files, no package.json, no requirements.txt',
      'run it in the folder of your application; docs/plan.md explains a plan written by hand',
      { details: notes },
    );
  const ref = folder.git?.ref ?? null;
  return {
    service: plainName(
      readPackage(described && folder.texts[described])
        .name?.split('/')
        .at(-1) ?? folder.name,
    ),
    ref: ref !== null && gitRef.safeParse(ref).success ? ref : null,
    before: folder.git?.before?.tag ?? null,
    migrations,
    build,
    services: findServices(folder, units),
    notes: [
      ...notes,
      ...built,
      ...(folder.git ? [] : ['there is no git repository yet, and a release is a commit: git init']),
    ],
  };
}
