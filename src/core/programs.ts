// Which program a plan means, and whether an environment's guardrails name it: the very word, never the last part of
// a path, because `./tools/psql` of a checkout is not `psql`.

/**
 * The names by which guardrails may allow it: a path as it is written; a bare name as that, which is looked up on the
 * worker's own search path, or in a folder of the checkout that `commands.path` names, then with this folder.
 */
function namesOf(program: string, path: readonly string[]): readonly string[] {
  return program.includes('/') ? [program] : [program, ...path.map((folder) => `${folder}/${program}`)];
}

/** `./tools/psql` and `tools/psql` are one place; nothing else is. */
const plain = (name: string): string => name.replace(/^(?:\.\/+)+/u, '').replaceAll(/\/+/gu, '/');

const isListed = (name: string, allowed: readonly string[]): boolean =>
  allowed.some((one) => plain(one) === plain(name) && one.includes('/') === name.includes('/'));

/** Whether the guardrails allow what a plan writes; `path` is its `commands.path`. */
export const isAllowed = (program: string, path: readonly string[], allowed: readonly string[]): boolean =>
  namesOf(program, path).some((name) => isListed(name, allowed));

/**
 * The program of the checkout that a bare name means there, where the guardrails do not name it as such; undefined
 * where all is well. `isThere` says whether a path below the checkout is a file.
 */
export function takenOver(
  program: string,
  path: readonly string[],
  allowed: readonly string[],
  isThere: (below: string) => boolean,
): string | undefined {
  if (program.includes('/')) return undefined;
  const found = path.map((folder) => `${folder}/${program}`).find(isThere);
  if (found !== undefined) return isListed(found, allowed) ? undefined : found;
  return isListed(program, allowed) ? undefined : program;
}
