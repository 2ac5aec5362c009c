// soakgate sign: what it shows, what it refuses, what it writes; offline.
import { cp, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makePlace, makeSomeone, type Someone } from '../../src/cli/demo/place.ts';
import type { SignedStart } from '../../src/core/messages.ts';
import { verifyMessage } from '../../src/io/trust.ts';
import { ranNow } from '../support/programs.ts';
import { ENTER, openPseudoTerminal } from '../support/pseudo-terminal.ts';
import { call, emptyFolder } from './call.ts';
import { gatedPlan } from './play.ts';

const ENTRY = fileURLToPath(new URL('../../bin/soakgate.mjs', import.meta.url));
const folder = emptyFolder();
const keys = join(folder, 'soakgate', 'keys');
const env = { XDG_CONFIG_HOME: folder };
const run = (...args: string[]) => call(args, { cwd: folder, env });
const at = (file: string) => join(folder, file);
const startIn = async (file: string) => JSON.parse(await readFile(at(file), 'utf8')) as SignedStart;
const change = async (file: string, part: (start: SignedStart) => object, from = 'start.json') =>
  writeFile(at(file), JSON.stringify(part(await startIn(from))));

let people: Record<'ann' | 'lea' | 'dan', Someone>;
let production: string;
beforeAll(async () => {
  await mkdir(keys, { recursive: true, mode: 0o700 });
  const [ann, lea, dan, control, worker] = await Promise.all([
    makeSomeone(keys, 'ann', ['developer']),
    makeSomeone(keys, 'lea', ['lead']),
    makeSomeone(keys, 'dan', ['dba']),
    makeSomeone(at('others'), 'control', []),
    makeSomeone(at('others'), 'production', []),
  ]);
  people = { ann: ann!, lea: lea!, dan: dan! };
  const repository = at('repository');
  await mkdir(repository);
  const git = (...args: string[]) =>
    ranNow('git', ['-C', repository, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args]);
  git('init', '-q');
  git('commit', '-q', '--allow-empty', '-m', 'one');
  git('tag', 'v2');
  await writeFile(at('soakgate.yaml'), gatedPlan('production'));
  const place = await makePlace({
    folder: at('place'),
    environment: 'production',
    service: 'orders',
    repository,
    artifacts: at('artifacts'),
    control: control!.publicText,
    people: Object.values(people),
    worker: worker!,
    programs: ['node', 'psql'],
    url: 'http://127.0.0.1:1',
    serviceEnv: {},
    guardrails: { start: { each: ['dba', 'lead'] } },
  });
  production = place.file;
  const printed = await run(
    'start',
    'soakgate.yaml',
    '--as',
    'dan',
    '--repository',
    'repository',
    '--name',
    'shop',
    '--print',
  );
  expect(printed.err).toContain('soakgate sign FILE --as PERSON');
  await writeFile(at('start.json'), printed.out, { mode: 0o640 });
}, 60_000);
afterAll(async () => ranNow('rm', ['-rf', folder]));

describe('a second signature', () => {
  test('is over the same words; the file keeps what it had, and its mode', async () => {
    await cp(at('start.json'), at('one.json'));
    const { code, out, err } = await run('sign', 'one.json', '--as', 'lea', '--yes');
    expect([code, out]).toEqual([0, '2 signatures\n']);
    expect(err).toContain('when all have signed: soakgate start --signed one.json');
    const [before, after] = [await startIn('start.json'), await startIn('one.json')];
    const { also, ...rest } = after;
    expect(rest).toEqual(before);
    expect(also).toEqual([{ person: 'lea', signature: expect.any(String) }]);
    expect(verifyMessage({ ...after, ...also![0]! }, people.lea.publicText)).toBe(true);
    expect((await stat(at('one.json'))).mode & 0o777).toBe((await stat(at('start.json'))).mode & 0o777);
  });

  test('is shown what it signs, in words', async () => {
    const { err } = await run('sign', 'start.json', '--as', 'lea', '--yes', '--out', 'shown.json');
    const { body } = await startIn('start.json');
    for (const line of [
      'Start of shop: orders: Behind a gate',
      '  requested by  dan',
      '  signed by     dan (not verified without --environment-file)',
      `  commit        ${body.commit}`,
      `  plan          soakgate.yaml, ${body.plan} (hash computed on this machine)`,
      '    production: 4 steps: release, look, mark, switch',
    ])
      expect(err).toContain(line);
  });

  test('with an environment file: verified, and whose is missing is said', async () => {
    const ann = await run(
      'sign',
      'start.json',
      '--as',
      'ann',
      '--yes',
      '--out',
      'a.json',
      '--environment-file',
      production,
    );
    expect([ann.code, ann.out]).toEqual([0, '1 of 2 signatures, waiting for lead\n']);
    expect(ann.err).toContain('the next one signs: soakgate sign a.json --as PERSON');
    expect(ann.err).not.toContain('not verified');
    const lea = await run(
      'sign',
      'a.json',
      '--as',
      'lea',
      '--yes',
      '--environment-file',
      production,
      '-o',
      'json',
    );
    expect([lea.code, JSON.parse(lea.out)]).toEqual([
      0,
      {
        deployment: 'shop',
        file: 'a.json',
        signatures: ['dan', 'ann', 'lea'],
        environments: [{ environment: 'production', met: true, text: '2 of 2 signatures' }],
      },
    ]);
  });

  test('--out leaves the file as it is', async () => {
    const before = await readFile(at('start.json'), 'utf8');
    expect((await run('sign', 'start.json', '--as', 'lea', '--yes', '--out', 'out.json')).code).toBe(0);
    expect(await readFile(at('start.json'), 'utf8')).toBe(before);
    expect((await startIn('out.json')).also).toHaveLength(1);
  });
});

test('a gate for which nobody is left is named before anything is signed', async () => {
  const { code, out } = await run('validate', 'soakgate.yaml', '--environment-file', production);
  expect([code, out]).toEqual([
    2,
    expect.stringContaining(
      'gate: whoever signs a start cannot approve it, and beside each of dba, lead nobody is left for dba; name ' +
        'one more person',
    ),
  ]);
});

describe('at a terminal', () => {
  const asked = async (file: string) => {
    await cp(at('start.json'), at(file));
    const argv = [process.execPath, ENTRY, 'sign', at(file), '--as', 'lea'];
    const terminal = await openPseudoTerminal(argv, { ...process.env, ...env }, { columns: 120, rows: 40 });
    await terminal.sees(/Sign the start of shop as lea\? \[y\/N\]/u);
    return terminal;
  };

  test('it asks; who says no signs nothing, who says yes signs', async () => {
    const no = await asked('no.json');
    no.type(`n${ENTER}`);
    expect(await no.ended()).toBe(7);
    expect(await startIn('no.json')).toEqual(await startIn('start.json'));
    const yes = await asked('yes.json');
    yes.type(`y${ENTER}`);
    expect(await yes.ended()).toBe(0);
    expect((await startIn('yes.json')).also).toHaveLength(1);
  });

  test('a file that somebody else has signed meanwhile is not written over', async () => {
    const terminal = await asked('busy.json');
    await run('sign', 'busy.json', '--as', 'ann', '--yes');
    const theirs = await readFile(at('busy.json'), 'utf8');
    terminal.type(`y${ENTER}`);
    await terminal.sees(/busy\.json has changed meanwhile; nothing was written/u);
    expect(await terminal.ended()).toBe(6);
    expect(await readFile(at('busy.json'), 'utf8')).toBe(theirs);
  });
});

describe('is refused, and nothing is written', () => {
  const refused = async (code: number, why: string, ...args: string[]) => {
    const file = at(args[0]!);
    const before = await readFile(file, 'utf8');
    const called = await run('sign', ...args);
    expect([called.code, called.out]).toEqual([code, '']);
    expect(called.err).toContain(why);
    expect(await readFile(file, 'utf8')).toBe(before);
  };
  const yes = ['--yes', '--as'] as const;

  test('who has signed already, as requester or beside; also with the own key under another name', async () => {
    await refused(6, 'dan has signed the start of shop already', 'start.json', ...yes, 'dan');
    await refused(
      6,
      'this key has signed the start of shop already, as dan',
      'start.json',
      ...yes,
      'max',
      '--key',
      people.dan.keyFile,
    );
    await run('sign', 'start.json', ...yes, 'lea', '--out', 'two.json');
    await refused(6, 'lea has signed the start of shop already', 'two.json', ...yes, 'lea');
    await refused(6, 'already, as lea', 'two.json', ...yes, 'Lea', '--key', people.lea.keyFile);
  });

  test('who does not confirm', () =>
    refused(
      2,
      'Sign the start of shop as lea? There is no terminal to confirm on',
      'start.json',
      '--as',
      'lea',
    ));

  test('a start that is not what its plan says, or that nobody could count', async () => {
    await change('other.json', (start) => ({ ...start, body: { ...start.body, commit: 'f'.repeat(40) } }));
    await refused(2, 'the steps differ from what plan', 'other.json', ...yes, 'lea');
    await change('text.json', (start) => ({ ...start, also: 'lea' }));
    await refused(2, 'also is no list of signatures', 'text.json', ...yes, 'lea');
    await change('many.json', (start) => ({
      ...start,
      also: Array.from({ length: 15 }, (_, one) => ({ person: `p${one}`, signature: `s${one}` })),
    }));
    await refused(2, 'it carries 16 signatures; at most 16 are taken', 'many.json', ...yes, 'lea');
    await writeFile(at('none.json'), '{');
    await refused(2, 'none.json is no JSON', 'none.json', ...yes, 'lea');
  });

  test('a start whose time is over', async () => {
    await change('late.json', (start) => ({
      ...start,
      body: { ...start.body, expires: '2026-01-01T00:00:00Z' },
    }));
    await refused(2, 'the start of shop was valid until 2026-01-01T00:00:00Z', 'late.json', ...yes, 'lea');
  });

  test('with an environment file: a false signature, a key of somebody else, a name that nobody has', async () => {
    const here = ['--environment-file', production] as const;
    await change('forged.json', (start) => ({
      ...start,
      also: [{ person: 'ann', signature: start.signature.replace(/^./u, 'x') }],
    }));
    await refused(
      7,
      'the signature of ann is not by the key that production names',
      'forged.json',
      ...yes,
      'lea',
      ...here,
    );
    await refused(
      7,
      'the signature of lea is not by the key that production names',
      'start.json',
      ...yes,
      'lea',
      '--key',
      people.ann.keyFile,
      ...here,
    );
    await refused(
      7,
      'production: nobody there has the name Lea',
      'start.json',
      ...yes,
      'Lea',
      '--key',
      people.lea.keyFile,
      ...here,
    );
  });

  test('another message: each person sends their own, and the command for it is said', async () => {
    const { out } = await run('decide', 'shop', 'production', 'continue', '--as', 'dan', '--print');
    await writeFile(at('decide.json'), out);
    await refused(2, 'soakgate decide shop production continue --as lea', 'decide.json', ...yes, 'lea');
  });
});
