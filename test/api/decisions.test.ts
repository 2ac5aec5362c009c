// What the server decides by itself, without a Temporal server: shapes, sizes, keys, names, and how it says
// no.
import { describe, expect, test } from 'vitest';
import { isLoopback } from '../../src/api/guard.ts';
import { Replays } from '../../src/api/idempotency.ts';
import { failureIn } from '../../src/api/problems.ts';
import { Problem } from '../../src/client/problem.ts';
import { reaching } from '../../src/client/reach.ts';
import { hashJson } from '../../src/io/trust.ts';
import { fieldsOf, signedMessage, signedStart, standIn, started } from './deployments.ts';

const start = '/v1/deployments';
const withKey = (key: string) => ({ 'idempotency-key': key });
const problem = async (answer: Response): Promise<Record<string, unknown>> => ({
  status: answer.status,
  ...((await answer.json()) as Record<string, unknown>),
});

describe('a start', () => {
  const counting = (fresh = true) => {
    let starts = 0;
    return {
      ...standIn({ start: async () => ({ ...started, fresh, runId: String((starts += 1)) }) }),
      starts: () => starts,
    };
  };

  test('is started once for a key; the same body is answered the same, another one is a conflict', async () => {
    const { post, starts, asked } = counting();
    const first = await post(start, signedStart(), withKey('k'));
    expect([first.status, first.headers.get('location'), first.headers.get('idempotent-replayed')]).toEqual([
      201,
      '/v1/deployments/one',
      null,
    ]);
    const again = await post(start, JSON.stringify(signedStart(), null, 2), withKey('k'));
    expect([again.status, again.headers.get('idempotent-replayed'), await again.json()]).toEqual([
      200,
      'true',
      await first.json(),
    ]);
    expect([starts(), asked]).toEqual([1, ['reach']]);
    expect(await problem(await post(start, signedStart({ deployment: 'two' }), withKey('k')))).toMatchObject({
      status: 409,
      code: 'conflict',
    });
    expect((await post(start, signedStart({ deployment: 'two' }), withKey('l'))).status).toBe(201);
  });

  test('that was there before is 200, and says nothing of a replay', async () => {
    const answer = await counting(false).post(start, signedStart(), withKey('k'));
    expect([answer.status, answer.headers.get('idempotent-replayed')]).toEqual([200, null]);
  });

  test('that did not arrive leaves its key free', async () => {
    let up = false;
    const { post } = standIn({
      start: async () => (up ? started : Promise.reject(new Problem('unreachable', 'gone'))),
    });
    const failed = await post(start, signedStart(), withKey('k'));
    expect([failed.status, failed.headers.get('retry-after')]).toEqual([503, '5']);
    up = true;
    expect((await post(start, signedStart({ nonce: 'n-9' }), withKey('k'))).status).toBe(201);
  });

  test('whose plan is wrong is answered with every complaint, and Temporal is not asked', async () => {
    const { post, starts } = counting();
    const planText = signedStart()
      .body.planText.replace('kind: code', 'kind: coed')
      .replace('switch: release', 'swich: release');
    const answer = await problem(await post(start, signedStart({ planText }), withKey('k')));
    expect(answer).toMatchObject({ status: 422, code: 'usage' });
    expect(answer['errors']).toEqual([
      expect.stringMatching(/^soakgate\.yaml:4:7 kind: /u),
      expect.stringMatching(/^soakgate\.yaml:\d+:\d+ steps\[2\]\S*: /u),
    ]);
    expect(starts()).toBe(0);
  });

  test.each([
    ['plan', { plan: 'b'.repeat(64) }],
    ['lists.staging', { lists: { staging: 'b'.repeat(64) } }],
    ['lists.staging', { pace: { nominalMs: 2, realMs: 1 } }],
    ['lists.production', { lists: { ...signedStart().body.lists, production: 'b'.repeat(64) } }],
  ])(
    'whose hashes are not what its plan compiles to is refused by the table’s code: %s',
    async (at, changes) => {
      const answer = await problem(await counting().post(start, signedStart(changes), withKey('k')));
      expect(answer).toMatchObject({
        status: 422,
        code: 'PERMIT_REFUSED',
        errors: [expect.stringContaining(`${at}: `)],
      });
    },
  );

  test.each([
    ['no key', signedStart(), {}, 400],
    ['no JSON', '{', withKey('k'), 400],
    ['not said to be JSON', signedStart(), { ...withKey('k'), 'content-type': 'text/plain' }, 415],
    ['more than a start', { ...signedStart(), more: 1 }, withKey('k'), 422],
    ['a message', signedMessage('abort'), withKey('k'), 422],
    ['a name that is none', signedStart({ deployment: '../etc' }), withKey('k'), 422],
    ['half a character', signedStart({ planFile: '\u{1f600}' }), withKey('k'), 201],
    [
      'half a character',
      JSON.stringify(signedStart()).replace('soakgate.yaml', String.raw`\ud83d`),
      withKey('k'),
      422,
    ],
    ['too large', JSON.stringify({ ...signedStart(), more: 'x'.repeat(2_097_152) }), withKey('k'), 413],
  ])('%s', async (_, body, headers, status) => {
    const answer = await counting().post(start, body, headers);
    expect(answer.status).toBe(status);
    if (status !== 201) expect(answer.headers.get('content-type')).toBe('application/problem+json');
  });
});

describe('a start that several have signed', () => {
  const signature = signedStart().signature;
  const other = (at: number) => ({
    person: `lea${at}`,
    signature: `${String(at).padStart(3, 'A')}${signature.slice(3)}`,
  });
  const sent: unknown[] = [];
  const { post } = standIn({
    start: async (signed) => {
      sent.push(signed);
      return started;
    },
  });
  const with_ = (also: unknown) => ({ ...signedStart(), also });

  test('goes on exactly as it was signed', async () => {
    const whole = with_([other(1), other(2)]);
    expect((await post(start, whole, withKey('several'))).status).toBe(201);
    expect(sent.at(-1)).toEqual(whole);
    expect((await post(start, with_([other(1)]), withKey('several'))).status).toBe(409);
  });

  test.each([
    ['no list', 'lea'],
    ['null', null],
    ['one signature too many', Array.from({ length: 16 }, (_, at) => other(at))],
    ['10,000 signatures', Array.from({ length: 10_000 }, (_, at) => other(at))],
    ['a signature that is none', [{ person: 'lea', signature: 'x' }]],
    ['a name that is none', [{ ...other(1), person: 'l\u0435a' }]],
    ['more than a signature', [{ ...other(1), body: {} }]],
    ['the requester again', [{ ...other(1), person: 'ann' }]],
    ['one person twice', [other(1), { ...other(2), person: 'lea1' }]],
    ['one signature twice', [other(1), { ...other(1), person: 'lea2' }]],
  ])('%s is 422, and nothing is started', async (_, also) => {
    const before = sent.length;
    const answer = await post(start, with_(also), withKey('k'));
    expect([answer.status, sent.length]).toEqual([422, before]);
  });
});

describe('a message', () => {
  const path = (message: string) => `/v1/deployments/one/messages/${message}`;
  const sent = standIn({ send: async (signed) => ({ outcome: 'accepted', text: hashJson(signed) }) });

  test.each(Object.keys(fieldsOf) as (keyof typeof fieldsOf)[])(
    '%s goes on exactly as it was signed',
    async (message) => {
      const signed = signedMessage(message, { later: 'a later version says more' });
      const answer = await sent.post(path(message), signed);
      expect([answer.status, await answer.json()]).toEqual([200, { accepted: true, text: hashJson(signed) }]);
    },
  );

  test.each([
    ['another message than the address says', path('resume'), signedMessage('pause'), 422],
    ['for another deployment', path('pause'), signedMessage('pause', { deployment: 'two' }), 422],
    ['without a word', path('decide'), signedMessage('decide', { decision: '' }), 422],
    ['with a depth of its own', path('pause'), signedMessage('pause', { deep: [[1]] }), 422],
    ['a start', path('start'), signedStart(), 400],
    ['too large', path('pause'), signedMessage('pause', { more: 'x'.repeat(32_768) }), 413],
  ])('%s is not sent', async (_, to, body, status) =>
    expect((await sent.post(to, body)).status).toBe(status),
  );

  test('that is refused is 403, with the table’s code where the worker says one', async () => {
    const refusing = (text: string) =>
      standIn({ send: async () => ({ outcome: 'refused', text }) }).post(
        path('pause'),
        signedMessage('pause'),
      );
    expect(
      await problem(await refusing('refused: the signature does not match the public key')),
    ).toMatchObject({
      status: 403,
      code: 'not-allowed',
      detail: 'refused: the signature does not match the public key',
      remedy: expect.stringContaining('soakgate status one'),
    });
    expect(await problem(await refusing('not answered: TARGET_UNREACHABLE: no'))).toMatchObject({
      status: 403,
      code: 'TARGET_UNREACHABLE',
    });
  });

  test('that nobody answered is 202, never accepted', async () => {
    const { post } = standIn({ send: async () => ({ outcome: 'unknown', text: 'later' }) });
    const answer = await post(path('pause'), signedMessage('pause'));
    expect([answer.status, await answer.json()]).toEqual([202, { unknown: true, text: 'later' }]);
  });

  test('is not sent while Temporal is away', async () => {
    const { post } = standIn({ reach: async () => Promise.reject(new Problem('unreachable', 'gone')) });
    expect((await post(path('pause'), signedMessage('pause'))).status).toBe(503);
  });
});

describe('the server', () => {
  test.each([
    ['localhost:8230', 200],
    ['127.0.0.1', 200],
    ['[::1]:1', 200],
    ['evil.example:8230', 421],
    ['localhost.evil.example', 421],
    ['127.0.0.1@evil.example', 421],
    ['', 421],
  ])('asked as %s', async (host, status) =>
    expect((await standIn().get('/healthz', { host })).status).toBe(status),
  );

  test.each([
    ['127.0.0.1', true],
    ['localhost', true],
    ['::1', true],
    ['0.0.0.0', false],
    ['::', false],
    ['soakgate.example.org', false],
  ])('%s means this machine: %s', (host, own) => expect(isLoopback(host)).toBe(own));

  test('says nothing of its insides; its log does', async () => {
    const { get, log } = standIn();
    const answer = await get('/v1/deployments/one');
    const text = await answer.text();
    expect([answer.status, JSON.parse(text).code]).toEqual([500, 'internal']);
    expect(text).not.toMatch(/secret|\.ts\b|nobody does/u);
    expect(log).toEqual([expect.stringContaining('nobody does status: secret')]);
  });

  test('knows no other route', async () =>
    expect(await problem(await standIn().get('/v2'))).toMatchObject({ status: 404, code: 'unknown' }));
});

describe('keys', () => {
  test('two at once are one work; a day later it is another', async () => {
    let [now, works] = [0, 0];
    const replays = new Replays<number>(() => now);
    const once = () => replays.once('k', 'b', async () => (works += 1));
    expect(await Promise.all([once(), once()])).toEqual([
      { answer: 1, replayed: false },
      { answer: 1, replayed: true },
    ]);
    now = 86_400_000;
    expect(await once()).toEqual({ answer: 2, replayed: false });
  });

  test('the oldest are forgotten', async () => {
    const replays = new Replays<number>();
    for (let key = 0; key <= 1_000; key += 1) await replays.once(String(key), 'b', async () => key);
    expect((await replays.once('0', 'b', async () => -1)).replayed).toBe(false);
    expect((await replays.once('1000', 'b', async () => -1)).replayed).toBe(true);
  });
});

describe('what gRPC says', () => {
  const thrown = (code: number, details = 'because'): Promise<unknown> => {
    const error = new Error('Failed to start Workflow', {
      cause: Object.assign(new Error(`${code} ${details}`), { code, details }),
    });
    return reaching(() => Promise.reject(error)).then(null, (problem: unknown) => problem);
  };
  test.each([
    [14, 'because', 'unreachable'],
    [4, 'because', 'unreachable'],
    [16, 'because', 'unreachable'],
    [8, 'busy', 'unreachable'],
    [8, 'grpc: received message larger than max', 'usage'],
    [3, 'Blob data size exceeds limit.', 'usage'],
  ])('code %d (%s) is %s', async (code, details, kind) =>
    expect(await thrown(code, details)).toMatchObject({ name: 'Problem', kind }),
  );
  test('another one stays what it was', async () =>
    expect(await thrown(13)).toMatchObject({ name: 'Error' }));
  test('a code of the table is found only where a text begins with it', () => {
    expect([
      failureIn('FENCED: x'),
      failureIn('it said FENCED'),
      failureIn('NOT_OURS: x'),
      failureIn('toString'),
    ]).toEqual(['FENCED', null, null, null]);
  });
});
