// What the texts say when it did not go well: undone, differences remain, not compared, not proven; never
// more than is known.
import { expect, test } from 'vitest';
import type { CloseEvidenceInput, EnvironmentOutcome } from '../../src/core/activities.ts';
import { deltaOf, deltaText, type PlaceRecord } from '../../src/core/evidence-delta.ts';
import { summaryText, words } from '../../src/core/evidence-summary.ts';
import type { Plan } from '../../src/core/plan/plan.ts';
import type { Receipt } from '../../src/core/receipts.ts';
import type { Snapshot } from '../../src/core/snapshot.ts';

const state = (catalog: Record<string, string>, rows: number): Snapshot => ({
  catalog,
  content: { 'public.orders': { rows, hash: String(rows) } },
  sequences: {},
});
const receipt = (step: string, kind: string, verdict: Receipt['verdict'], figures = {}): Receipt => ({
  step,
  kind,
  verdict,
  summary: `${step} | said`,
  figures,
  startedAt: '2026-01-01T00:00:00Z',
  tookMs: 1_500,
});
const outcome: EnvironmentOutcome = {
  environment: 'production',
  outcome: 'stuck',
  receipts: [
    receipt('preview', 'preview', 'pass', { rehearsed: 'up' }),
    receipt('migrate', 'migrate', 'pass'),
    receipt('speed', 'check', 'inconclusive'),
  ],
  undos: [
    {
      undo: 'downgrade',
      step: 'migrate',
      done: true,
      summary: 'both files rolled back',
      differences: [],
      tookMs: 1,
    },
  ],
  differences: ['index public.orders_unpaid_idx was left behind'],
  soak: null,
  comparison: {
    equal: false,
    differences: [],
    writtenSince: ['public.orders 7: added by the application since the backup'],
    summary: '1 difference from the recorded state',
  },
};
const record: PlaceRecord = {
  baseline: state({ 'table orders': 'r', 'view old': 'select 1' }, 5),
  after: state({ 'table orders': 'p', 'index orders_unpaid_idx': 'create `x`\nindex' }, 6),
  http: { baseline: { '/orders': { mean: 2, p95: 3, failed: 0 } }, after: null },
  findings: { baseline: [{ step: 'data', counts: { 'negative-total': 40 } }], after: [] },
  observed: null,
  startSigners: [],
};
const closing = (pace: { nominalMs: number; realMs: number } | null): CloseEvidenceInput => ({
  deployment: 'orders-1',
  outcome: 'stuck',
  start: {
    message: 'start',
    person: 'ann',
    signature: '',
    body: {
      deployment: 'orders-1',
      namespace: 'default',
      nonce: '',
      expires: '',
      planText: '',
      planFile: 'p.yaml',
      plan: 'hash',
      commit: 'c0ffee',
      files: {},
      pace,
      lists: {},
    },
  },
  workflows: [],
  environments: [outcome],
  approvals: [],
});

test(
  'the delta: added, removed, changed, rows, findings that were not looked at again, addresses without ' +
    'an after',
  () => {
    const delta = deltaOf(outcome, record);
    expect(delta.catalog).toMatchObject({
      added: [{ object: 'index orders_unpaid_idx' }],
      removed: [{ object: 'view old' }],
      changed: [{ object: 'table orders', was: 'r', is: 'p' }],
    });
    expect(delta.rows).toEqual([{ table: 'public.orders', was: 5, is: 6 }]);
    expect(delta.findings).toEqual([{ step: 'data', category: 'negative-total', was: 40, is: null }]);
    expect(delta.missing).toEqual(['the addresses were not measured after the change']);
    const text = deltaText('orders-1', [delta]);
    expect(text).toContain("- `index orders_unpaid_idx`: `create 'x' index`");
    expect(text).toContain('| data | negative-total | 40 | not checked again |');
    expect(text).toContain('### Differences that remain\n\n- index public.orders_unpaid_idx was left behind');
  },
);

test('without a record nothing is claimed to be the same', () => {
  const delta = deltaOf(outcome, { ...record, baseline: null, after: null });
  expect(delta.missing).toHaveLength(3);
  expect(deltaText('orders-1', [delta])).not.toContain('the same as before');
});

test('the summary of a run that is stuck', () => {
  const text = summaryText({
    closing: closing(null),
    plan: null,
    deltas: [deltaOf(outcome, record)],
    records: { production: record },
    decided: [],
    refused: { refused: [], more: 0, unreadable: 0 },
    claims: [
      {
        environment: 'production',
        claim: 'reversible',
        measured: 'rolled back, and differences remained',
        holds: false,
      },
    ],
    troubles: ['The history of x is not here: gone'],
  });
  expect(text).toContain('# orders-1: stuck');
  expect(text).not.toContain('DEMO');
  for (const line of [
    '- **differences remain**: index public.orders_unpaid_idx was left behind',
    '- bad rows when last checked: negative-total 40 → not checked again; they were not checked again after the rollback',
    '- undone: downgrade (migrate): both files rolled back',
    '| speed | inconclusive | 1.5 s | speed \\| said |',
    '- production: speed is inconclusive: speed | said',
    '- production: the rollback of the migration was not rehearsed up and down',
    '| production | reversible | rolled back, and differences remained | **does not hold** |',
    '- production: not observed',
    '- production: the addresses were not measured after the change',
    '- The history of x is not here: gone',
    '- public.orders 7: added by the application since the backup',
  ])
    expect(text).toContain(line);
});

test('everybody who signed the start stands in it, once, with the places that verified it; nobody who was not', () => {
  const [ann, lea, dan] = [
    { name: 'ann', roles: ['developer'] },
    { name: 'lea', roles: ['lead'] },
    { name: 'dan', roles: ['dba'] },
  ];
  const start = {
    ...closing(null).start,
    also: ['lea', 'dan', 'zoe'].map((person) => ({ person, signature: 's' })),
  };
  const text = summaryText({
    closing: { ...closing(null), start },
    plan: null,
    deltas: [],
    records: {
      staging: { ...record, startSigners: [ann, lea] },
      production: { ...record, startSigners: [ann, { ...lea, roles: ['lead', 'owner'] }, dan] },
    },
    decided: [],
    refused: { refused: [], more: 0, unreadable: 0 },
    claims: [],
    troubles: [],
  });
  const rows = text.split('\n').filter((line) => line.includes('| start |'));
  expect(rows).toEqual([
    expect.stringMatching(/^\| ann \| requester \| start \| all \|/u),
    expect.stringMatching(/^\| lea \| lead, owner \| start \| staging, production \|.* co-signed \|$/u),
    expect.stringMatching(/^\| dan \| dba \| start \| production \|.* co-signed \|$/u),
  ]);
  expect(text).not.toContain('zoe');
});

test('what was accepted stands in the first line, with who let it pass, and all of it below', () => {
  const accepted = Array.from({ length: 5 }, (_, at) => ({
    about: `check ${at}: ${at} bad\nrows`,
    how: `continued by dan`,
  }));
  const text = summaryText({
    closing: {
      ...closing(null),
      outcome: 'completed',
      environments: [{ ...outcome, outcome: 'passed', accepted }],
    },
    plan: null,
    deltas: [],
    records: {},
    decided: [],
    refused: { refused: [], more: 0, unreadable: 0 },
    claims: [],
    troubles: [],
  });
  const [first] = text.split('\n');
  expect(first).toBe(
    '# orders-1: completed, with 5 problems accepted: production: check 0: 0 bad rows (continued by dan); ' +
      'production: check 1: 1 bad rows (continued by dan); production: check 2: 2 bad rows (continued by dan); ' +
      '2 more',
  );
  expect(text).toContain('- production: check 4: 4 bad');
  expect(text).not.toContain('as planned');
});

test('looks that go on are named, with the command that ends them, where the environment passed', () => {
  const plan = {
    summary: '',
    environments: [{ name: 'production', services: [], afterwards: { everyMs: 604_800_000 } }],
  } as unknown as Plan;
  const textOf = (ended: string) =>
    summaryText({
      closing: { ...closing(null), environments: [{ ...outcome, outcome: ended }] },
      plan,
      deltas: [],
      records: {},
      decided: [],
      refused: { refused: [], more: 0, unreadable: 0 },
      claims: [],
      troubles: [],
    });
  expect(textOf('passed')).toContain(
    'checked every 7 days from now on, until you run `soakgate stop-checks orders-1 production`',
  );
  expect(textOf('restored')).not.toContain('stop-checks');
});

test('lengths as people say them', () => {
  expect([900, 60_000, 600_000, 7_200_000, 86_400_000, 604_800_000].map(words)).toEqual([
    '0.9 seconds',
    '60 seconds',
    '10 minutes',
    '2 hours',
    '24 hours',
    '7 days',
  ]);
});
