// The release's git repository: a ref pinned to one commit, and files as they are at that commit.
import { runCommand } from './command.ts';

/**
 * The full commit hash behind a ref.
 * @throws Error naming ref and repository.
 */
export async function pinCommit(repository: string, ref: string): Promise<string> {
  const result = await git(repository, ['rev-parse', '--verify', '--quiet', `${ref}^{commit}`]);
  if (result.exitCode !== 0)
    throw new Error(
      `release.ref ${ref} is not a commit in ${repository}; git -C ${repository} branch -a lists the ` +
        'branches',
    );
  return result.stdout.trim();
}

/** @throws Error when the commit has no such file. */
export async function readAtCommit(repository: string, commit: string, path: string): Promise<string> {
  const result = await git(repository, ['show', `${commit}:${path}`]);
  if (result.exitCode !== 0)
    throw new Error(`the plan names ${path}, but commit ${commit.slice(0, 12)} does not have`);
  return result.stdout;
}

function git(repository: string, args: readonly string[]) {
  return runCommand({
    argv: ['git', '-C', repository, ...args],
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/', LANG: 'C.UTF-8' },
  });
}
