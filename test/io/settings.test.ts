// The environment's file: what is wrong in it is named by its path; paths count from its folder.
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { passwordsOf, readEnvironmentFile } from '../../src/io/settings.ts';

const KEY = `ed25519:${'A'.repeat(43)}=`;
const ANN = `ed25519:${'B'.repeat(42)}A=`;
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
worker-key: worker.key
people: { ann: { key: "${ANN}", roles: [lead] } }
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

test('a password is hidden as it stands and as it is typed, also one that is no escape; no empty text is', () => {
  expect(passwordsOf('postgres://u:p%40ss@h/d')).toEqual(['p%40ss', 'p@ss']);
  expect(passwordsOf('amqp://u:%zz@h/d')).toEqual(['%zz']);
  for (const none of ['postgres://u@h/d', 'no address', '']) expect(passwordsOf(none)).toEqual([]);
});

describe('folders', () => {
  test.each(['artifacts', './artifacts', 'artifacts/permits', '.', 'x/../artifacts'])(
    'artifacts, and the permit store in %s: refused',
    async (store) => {
      const path = await fileWith('');
      await writeFile(
        path,
        (await readFile(path, 'utf8')).replace('permit-store: used', `permit-store: ${store}`),
      );
      await expect(readEnvironmentFile(path)).rejects.toThrow(
        'permit-store: lies in one folder with artifacts; give it a folder of its own',
      );
    },
  );

  test('names that only begin alike are two folders', async () => {
    const path = await fileWith('');
    const text = (await readFile(path, 'utf8')).replace(
      'permit-store: used',
      'permit-store: artifacts-permits',
    );
    await writeFile(path, text);
    expect(await readEnvironmentFile(path)).toMatchObject({
      permitStore: expect.stringContaining('artifacts-permits'),
    });
  });
});

test('guardrails that nobody could meet are complained of, all at once, with the file', async () => {
  const path = await fileWith('');
  await writeFile(
    path,
    (await readFile(path, 'utf8')).replaceAll('decide: { any: [lead] }', 'decide: { each: [dba] }'),
  );
  await expect(readEnvironmentFile(path)).rejects.toThrow(
    `${path} guardrails.decide: nobody under people has the role dba; give it to somebody`,
  );
});

describe('notifiers', () => {
  test('are a list of kinds; left out, it is empty', async () => {
    expect((await readEnvironmentFile(await fileWith(''))).notifiers).toEqual([]);
    const line = 'notifiers: [{ webhook: { url: { env: HOOK } } }, { command: { argv: [page, now] } }]';
    expect((await readEnvironmentFile(await fileWith(line))).notifiers).toEqual([
      { webhook: { url: { env: 'HOOK' } } },
      { command: { argv: ['page', 'now'] } },
    ]);
  });

  test.each([
    ['notifiers: [{ pager: {} }]', 'notifiers.0: unknown key pager'],
    ['surprise: 1', ': unknown key surprise'],
    ['notifiers: [{ command: {} }]', 'notifiers.0.command.argv: must be a list of words'],
    ['notifiers: [{}]', 'notifiers.0: must name one notifier: webhook or command'],
    [
      'notifiers: [{ webhook: { url: "https://chat.example.org/T0K3N" } }]',
      'notifiers.0.webhook.url: must be { env: NAME } or { file: PATH }',
    ],
    [
      'notifiers: [{ webhook: { url: { env: HOOK } }, command: { argv: [page] } }]',
      'notifiers.0: must name one notifier: webhook or command',
    ],
  ])('%s is refused', async (line, complaint) => {
    await expect(readEnvironmentFile(await fileWith(line))).rejects.toThrow(complaint);
  });
});
