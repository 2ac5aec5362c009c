// What needs no server: validate, plan, schema, key, start --print, and how errors are said.
import { cp, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { makePlace, makeSomeone, type PlaceSpec, type Someone } from '../../src/cli/demo/place.ts';
import type { Signed, StartBody } from '../../src/core/messages.ts';
import { planJsonSchema } from '../../src/core/plan/schema.ts';
import { verifyMessage } from '../../src/io/trust.ts';
import { call, emptyFolder, fixture } from './call.ts';
import { gatedPlan } from './play.ts';
import { ranNow } from '../support/programs.ts';
import { twoPlacesPlan } from '../support/two-places.ts';

const golden = (name: string): string =>
  fileURLToPath(new URL(`../golden/plan/${name}.txt`, import.meta.url));
const folder = emptyFolder();
const here = { cwd: folder, env: { XDG_CONFIG_HOME: join(folder, 'config') } };

let place: Omit<PlaceSpec, 'folder' | 'environment'>;
let worker: Someone;
beforeAll(async () => {
  for (const name of ['small-plan.yaml', 'validation-system.yaml'])
    await cp(fixture(name), join(folder, name));
  await writeFile(join(folder, 'soakgate.yaml'), gatedPlan('staging'));
  await writeFile(
    join(folder, 'broken.yaml'),
    gatedPlan('staging').replace('kind: code', 'kind: coed').replace('switch: release', 'swich: release'),
  );
  const [ann, lea, control] = await Promise.all([
    makeSomeone(join(folder, 'people'), 'ann', ['developer']),
    makeSomeone(join(folder, 'people'), 'lea', ['lead', 'dba']),
    makeSomeone(join(folder, 'people'), 'control', []),
  ]);
  const spec = (place = {
    service: 'orders',
    repository: '.',
    artifacts: 'artifacts',
    control: control.publicText,
    people: [ann, lea],
    programs: ['node'],
  });
  worker = await makeSomeone(join(folder, 'people'), 'worker', []);
  await makePlace({ ...spec, folder, environment: 'staging', guardrails: { soak: '24h', pace: 'refused' } });
  await makePlace({ ...spec, folder, environment: 'elsewhere' });
});

describe('validate', () => {
  test('says that nothing would ever be changed: the environment file knows no worker of the one before', async () => {
    await writeFile(join(folder, 'two.yaml'), twoPlacesPlan('staging', 'later'));
    const asked = ['validate', 'two.yaml', '--environment-file', 'later.yaml', '-o', 'json'];
    const complaints = async () =>
      (JSON.parse((await call(asked, here)).out) as { complaints: { message: string }[] }).complaints
        .map(({ message }) => message)
        .filter((message) => message.includes('worker of staging'));
    const later = { ...place, folder, environment: 'later' };
    await makePlace(later);
    expect(await complaints()).toEqual([expect.stringContaining('later.yaml names no key of it: add under')]);
    await makePlace({ ...later, others: [{ ...worker, name: 'staging' }] });
    expect(await complaints()).toEqual([]);
  });

  test('says that a plan is valid', async () => {
    const { code, out } = await call(['validate', 'soakgate.yaml'], here);
    expect({ code, out }).toEqual({ code: 0, out: 'soakgate.yaml is valid: orders, 3 steps, staging\n' });
  });

  test('names every complaint with its place, exit code 2', async () => {
    const { code, out } = await call(['validate', 'broken.yaml'], here);
    expect(code).toBe(2);
    await expect(out).toMatchFileSnapshot(golden('validate-broken'));
  });

  test('holds the plan against guardrails, at the line of that environment', async () => {
    const { code, out } = await call(
      [
        'validate',
        'soakgate.yaml',
        '--environment-file',
        'staging.yaml',
        '--environment-file',
        'elsewhere.yaml',
        '--pace',
        '7d=60s',
      ],
      here,
    );
    expect(code).toBe(2);
    await expect(out).toMatchFileSnapshot(golden('validate-guardrails'));
  });

  test('names a service that the environment does not have', async () => {
    await writeFile(
      join(folder, 'shop.yaml'),
      gatedPlan('staging').replace('service: orders', 'service: shop'),
    );
    const { code, out } = await call(['validate', 'shop.yaml', '--environment-file', 'staging.yaml'], here);
    expect(code).toBe(2);
    expect(out).toContain('staging.yaml has no service shop: add it under services');
  });

  test('gives the same as JSON', async () => {
    const { code, out } = await call(['validate', 'broken.yaml', '-o', 'json'], here);
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({
      valid: false,
      complaints: [{ file: 'broken.yaml', line: 4 }, { path: expect.stringContaining('steps[2]') }],
    });
  });

  test('an environment file that is not one is the caller’s to mend', async () => {
    const { code, err } = await call(
      ['validate', 'soakgate.yaml', '--environment-file', 'small-plan.yaml'],
      here,
    );
    expect(code).toBe(2);
    expect(err).toContain('small-plan.yaml');
  });
});

test('what was typed wrong is named, and where to look', async () => {
  const { code, err } = await call(['validate'], here);
  expect(code).toBe(2);
  expect(err).toMatch(/missing required argument 'plan'\n {2}next: .*--help/u);
});

test('a worker whose file is not there names it, and what belongs into it', async () => {
  const { code, err } = await call(['worker', 'environment', '--file', 'nowhere.yaml'], {
    ...here,
    env: { ...here.env, TEMPORAL_ADDRESS: '127.0.0.1:1' },
  });
  expect(code).toBe(1);
  expect((JSON.parse(err) as { msg: string }).msg).toMatch(
    /nowhere\.yaml'\n {2}next: .*docs\/operations\.md/u,
  );
});

describe('plan', () => {
  test.each(['small-plan', 'validation-system'])(
    '%s: steps, changes, undos, gates and fallbacks',
    async (name) => {
      const { code, out } = await call(['plan', `${name}.yaml`], here);
      expect(code).toBe(0);
      await expect(out).toMatchFileSnapshot(golden(name));
    },
  );

  test('one environment, compressed', async () => {
    const { out } = await call(
      ['plan', 'small-plan.yaml', '--environment', 'production', '--pace', '7d=60s'],
      here,
    );
    expect(out).toContain('watch: 1d (compressed to 8.6 s)');
    expect(out).not.toContain('\nstaging\n');
  });

  test('as JSON: the compiled lists, whose hash is null while no commit is pinned', async () => {
    const { out } = await call(['plan', 'small-plan.yaml', '-o', 'json'], here);
    const [staging] = JSON.parse(out).environments;
    expect(staging).toMatchObject({
      environment: 'staging',
      hash: null,
      list: { service: 'shop', steps: expect.any(Array) },
    });
  });

  test('an unknown environment is refused, and the known ones are named', async () => {
    const unknown = await call(['plan', 'small-plan.yaml', '--environment', 'stagin'], here);
    expect(unknown.code).toBe(2);
    expect(unknown.err).toContain('staging, production');
  });
});

test('schema prints the published schema', async () => {
  expect(JSON.parse((await call(['schema'], here)).out)).toEqual(planJsonSchema());
});

describe('key', () => {
  test('create keeps the private half to its owner and prints the public half alone on stdout', async () => {
    const { code, out, err } = await call(['key', 'create', 'ann'], here);
    expect(code).toBe(0);
    expect(out).toMatch(/^ed25519:[A-Za-z0-9+/]{43}=\n$/u);
    expect(err).toContain(`ann: { key: "${out.trim()}"`);
    const file = join(folder, 'config', 'soakgate', 'keys', 'ann.key');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(file, '..'))).mode & 0o777).toBe(0o700);
    expect((await call(['key', 'show', 'ann'], here)).out).toBe(out);
  });

  test('create never overwrites: exit code 6', async () => {
    const file = join(folder, 'config', 'soakgate', 'keys', 'twice.key');
    await call(['key', 'create', 'twice'], here);
    const before = await readFile(file, 'utf8');
    expect((await call(['key', 'create', 'twice'], here)).code).toBe(6);
    expect(await readFile(file, 'utf8')).toBe(before);
  });

  test('a key that others may read is refused', async () => {
    await mkdir(join(folder, 'open'), { recursive: true });
    await call(['key', 'create', 'open', '--out', 'open/open.key'], here);
    await writeFile(join(folder, 'open', 'lax.key'), await readFile(join(folder, 'open', 'open.key')), {
      mode: 0o644,
    });
    const { code, err } = await call(['key', 'show', 'lax', '--key', 'open/lax.key'], here);
    expect(code).toBe(2);
    expect(err).toContain('chmod 600');
  });
});

describe.concurrent('what is signed without a server', () => {
  test.each([
    ['decide', ['continue'], { decision: 'continue' }],
    ['pause', [], {}],
    ['resume', [], {}],
    ['check-now', [], {}],
    ['extend-soak', ['1d'], { byMs: 86_400_000 }],
    ['stop-checks', [], {}],
    ['abort', ['--yes', '--reason', 'wrong'], { reason: 'wrong' }],
    ['rollback', ['--yes'], {}],
    ['reject', ['--yes', '--reason', 'late'], { reason: 'late' }],
  ])('%s', async (verb, more, fields) => {
    const person = await makeSomeone(join(folder, 'people'), `${verb}-er`, []);
    const { code, out } = await call(
      [verb, 'one', 'staging', ...more, '--as', person.name, '--key', person.keyFile, '--print'],
      here,
    );
    expect(code).toBe(0);
    const signed = JSON.parse(out) as Signed;
    expect(signed.body).toMatchObject({ deployment: 'one', environment: 'staging', ...fields });
    expect(signed.message.toLowerCase()).toBe(verb.replaceAll('-', ''));
    expect(verifyMessage(signed, person.publicText)).toBe(true);
    expect(Date.parse(signed.body.expires) - Date.now()).toBeGreaterThan(3_500_000);
  });

  test('what undoes work is not signed while nobody can be asked', async () => {
    const person = await makeSomeone(join(folder, 'people'), 'asked', []);
    const { code, out, err } = await call(
      ['abort', 'one', 'staging', '--as', 'asked', '--key', person.keyFile, '--print'],
      here,
    );
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('--yes');
  });

  test('a start without a plan, a person or a key says which is missing', async () => {
    for (const [args, said] of [
      [['start'], 'the plan file is missing'],
      [['start', 'soakgate.yaml'], '--as PERSON'],
      [['start', 'soakgate.yaml', '--as', 'nobody', '--print'], 'soakgate key create nobody'],
      [['start', '--signed', 'soakgate.yaml'], 'soakgate start --print'],
    ] as const) {
      const { code, err } = await call(args, here);
      expect(code).toBe(2);
      expect(err).toContain(said);
    }
  });
});

describe.concurrent('errors and colours', () => {
  test('no server: what, where, and what to do', async () => {
    const { code, err } = await call(['list'], here);
    expect(code).toBe(70);
    expect(err).toContain('no Temporal server answers at 127.0.0.1:1');
    expect(err).toContain('TEMPORAL_ADDRESS');
    expect(err).not.toMatch(/^ +at /mu);
  }, 20_000);

  test.each([
    [['approve', 'one']],
    [['status', 'one', '--bogus']],
    [['nonsense']],
    [['status', '../x']],
    [['plan', 'x.yaml', '--pace', '60s']],
  ])('%s is a usage error', async (args) => {
    const { code, out, err } = await call(args, here);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^error: /u);
  });

  test('the demo is a process of its own, to which every argument goes', async () => {
    const { code, err } = await call(['demo', '--break', 'nonsense'], here);
    expect([code, err]).toEqual([2, expect.stringContaining('--break nonsense')]);
  });

  test('an internal error exits with 70 and shows its stack only on demand', async () => {
    const broken = { ...here, env: { ...here.env, XDG_CONFIG_HOME: join(folder, 'soakgate.yaml') } };
    const plain = await call(['key', 'create', 'ann'], broken);
    expect(plain.code).toBe(70);
    expect(plain.err).toContain('SOAKGATE_DEBUG');
    expect(plain.err).not.toMatch(/^ +at /mu);
    expect(
      (await call(['key', 'create', 'ann'], { ...broken, env: { ...broken.env, SOAKGATE_DEBUG: '1' } })).err,
    ).toMatch(/^ +at /mu);
  });

  test('colours only where they are wanted, and never alone', async () => {
    const plain = await call(['plan', 'soakgate.yaml'], here);
    const coloured = await call(['plan', 'soakgate.yaml'], { ...here, env: { FORCE_COLOR: '1' } });
    const refused = await call(['plan', 'soakgate.yaml'], { ...here, env: { NO_COLOR: '1' } });
    // oxlint-disable-next-line no-control-regex -- colours are what is looked for
    const colours = /\u001b\[[0-9;]*m/gu;
    expect(plain.out).not.toMatch(colours);
    expect(refused.out).toBe(plain.out);
    expect(coloured.out).toMatch(colours);
    expect(coloured.out.replaceAll(colours, '')).toBe(plain.out);
  });
});

test('a printed start holds the plan, its commit and the hash of each list', async () => {
  const repository = join(folder, 'repository');
  await mkdir(repository);
  const run = (...args: string[]) =>
    ranNow('git', ['-C', repository, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args]);
  run('init', '-q');
  run('commit', '-q', '--allow-empty', '-m', 'one');
  run('tag', 'v2');
  const person = await makeSomeone(join(folder, 'people'), 'ann', []);
  const { code, out } = await call(
    [
      'start',
      'soakgate.yaml',
      '--as',
      'ann',
      '--key',
      person.keyFile,
      '--repository',
      'repository',
      '--print',
    ],
    here,
  );
  expect(code).toBe(0);
  const signed = JSON.parse(out) as Signed<StartBody>;
  expect(verifyMessage(signed, person.publicText)).toBe(true);
  const { body } = signed;
  expect(body.deployment).toBe(
    `orders-${body.plan.slice(0, 6)}-${body.commit.slice(0, 7)}-${body.nonce.slice(0, 4)}`,
  );
  const planned = JSON.parse(
    (await call(['plan', 'soakgate.yaml', '--repository', 'repository', '-o', 'json'], here)).out,
  );
  expect(planned).toMatchObject({ plan: body.plan, environments: [{ hash: body.lists['staging'] }] });
});
