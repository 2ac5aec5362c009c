// The environment's file: what is wrong in it is named by its path; paths count from its folder.
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readEnvironmentFile } from '../../src/io/settings.ts';

const KEY = `ed25519:${'A'.repeat(43)}=`;
const fileWith = async (line: string): Promise<string> => {
  const path = join(await mkdtemp(join(tmpdir(), 'sg-settings-')), 'staging.yaml');
  await writeFile(
    path,
    `soakgate-environment: 1
environment: staging
services: { orders: { root: here, repository: repo, database: { env: DATABASE_URL }, env: { TOKEN: { env: SHOP_TOKEN } } } }
artifacts: artifacts
permit-store: used
control: "${KEY}"
people: { ann: { key: "${KEY}", roles: [lead] } }
guardrails: { start: { any: [lead] }, rollback: { any: [lead] }, decide: { any: [lead] }, operate: { any: [lead] }, programs: [] }
${line}
`,
  );
  return path;
};

describe('build-env', () => {
  test('is a list of names; left out, it is empty', async () => {
    expect((await readEnvironmentFile(await fileWith(''))).buildEnv).toEqual([]);
    expect(
      (await readEnvironmentFile(await fileWith('build-env: [HTTPS_PROXY, npm_config_registry]'))).buildEnv,
    ).toEqual(['HTTPS_PROXY', 'npm_config_registry']);
  });

  test.each([
    [
      'build-env: [DATABASE_URL]',
      'build-env: DATABASE_URL holds a secret of a service; a build may not see it',
    ],
    ['build-env: [SHOP_TOKEN]', 'build-env: SHOP_TOKEN holds a secret of a service; a build may not see it'],
    ['build-env: ["A=B"]', 'build-env.0: must be the name of an environment variable'],
  ])('%s is refused', async (line, complaint) => {
    await expect(readEnvironmentFile(await fileWith(line))).rejects.toThrow(complaint);
  });
});
