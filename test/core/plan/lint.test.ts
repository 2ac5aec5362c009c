// Which plans the rules refuse, and which neighbours of them they let pass. The words are held by the golden
// complaints.
import { describe, expect, test } from 'vitest';
import { planRules } from '../../../src/core/plan/lint.ts';
import { planFile } from '../../../src/core/plan/schema.ts';
import { readSource } from '../../../src/core/plan/source.ts';
import { toPlan } from '../../../src/core/plan/to-plan.ts';
import { complaintsOf, type Edit, edited, smallPlan } from './small-plan.ts';

const BACKUP = '  - { step: backup, backup: { keep: 30d } }\n';
const OPEN = '  - { step: open, maintenance: leave, in: [production] }\n';
const HEALTH =
  '  - { step: health, check: { http: { get: /health, within: 60s, mean: at most 110% of baseline } } }\n';
const RESTART = '  - { step: restart, restart: [web] }\n';
const SOAK = '    soak: { for: 7d, every: 1m, gap: at most 5m }\n';
const WATCH = '    watch: { for: 24h, every: 1m, gap: at most 5m }\n';
const REPORT = '{ command: [node, report.mjs], changes: [files] }';

type Case = readonly [what: string, paths: readonly string[], ...edits: readonly Edit[]];

const cases: readonly Case[] = [
  ['the plan as it is', []],
  [
    'post-deployment checks behind the last environment',
    [],
    [WATCH, `${WATCH}    afterwards: { every: 7d, monitors: [site] }\n`],
  ],
  ['post-deployment checks of every monitor', [], [WATCH, `${WATCH}    afterwards: { every: 1d }\n`]],
  [
    'post-deployment checks behind a soak',
    ['environments.staging.afterwards'],
    [SOAK, `${SOAK}    afterwards: { every: 7d }\n`],
  ],
  [
    'post-deployment checks of no monitor, at no time',
    ['environments.production.afterwards.every', 'environments.production.afterwards.monitors[0]'],
    [WATCH, `${WATCH}    afterwards: { every: 0s, monitors: [sites] }\n`],
  ],
  [
    'no backup at all',
    ['steps[2].data', 'steps[4].migrate', 'steps[5].forbidden', 'fallbacks.restore'],
    [BACKUP, ''],
  ],
  [
    'a backup after the fix of data',
    ['steps[2].data'],
    [BACKUP, ''],
    ['  - { step: preview', `${BACKUP}  - { step: preview`],
  ],
  [
    'a backup after data that only people change',
    [],
    [BACKUP, ''],
    [', fix: total = 0', ''],
    ['  - { step: preview', `${BACKUP}  - { step: preview`],
  ],
  [
    'a read-only check before the backup',
    [],
    [BACKUP, `  - { step: early, check: { command: [node, x.mjs] } }\n${BACKUP}`],
  ],
  [
    'a writing check before the backup',
    ['steps[2].check'],
    [BACKUP, `  - { step: early, check: { command: [node, x.mjs], changes: [database] } }\n${BACKUP}`],
  ],
  [
    'a run before the backup that changes files',
    [],
    [BACKUP, `  - { step: early, run: ${REPORT} }\n${BACKUP}`],
  ],
  [
    'a backup in one environment only',
    ['steps[3].data', 'steps[5].migrate', 'steps[6].forbidden', 'fallbacks.restore'],
    [BACKUP, BACKUP.replace(' }\n', ', in: [staging] }\n')],
  ],
  [
    'a run that changes processes without undo',
    ['steps[7].run'],
    ['changes: [files]', 'changes: [processes]'],
  ],
  [
    'a run that changes processes with its undo',
    [],
    ['changes: [files]', 'changes: [processes], undo: { command: [node, undo.mjs] }'],
  ],
  [
    'steps for migrations that nothing declares',
    ['steps[4].preview', 'steps[5].migrate', 'fallbacks.downgrade', 'fallbacks.drop-guards'],
    ['migrations: { sql: { folder: migrations, pending: [0002_guards] } }\n', ''],
  ],
  [
    'migrations that production never applies',
    ['migrations'],
    ['statement-timeout: 5m } }', 'statement-timeout: 5m }, in: [staging] }'],
  ],
  [
    'migrations applied twice',
    ['steps[6].migrate'],
    [
      '  - step: forbidden-writes',
      '  - { step: again, migrate: { lock-timeout: 50ms, give-up-after: 2m, statement-timeout: 5m } ' +
        '}\n  - step: forbidden-writes',
    ],
  ],
  ...(
    [
      ['0ms, which PostgreSQL reads as for ever', 'lock-timeout: 0ms', ['lock-timeout']],
      ['longer than it is tried', 'lock-timeout: 3m', ['lock-timeout']],
      ['more than 31 bits', 'lock-timeout: 30d', ['lock-timeout', 'lock-timeout']],
    ] as const
  ).map(([what, written, keys]): Case => [
    `a lock timeout of ${what}`,
    keys.map((key) => `steps[5].migrate.${key}`),
    ['migrate: { lock-timeout: 50ms', `migrate: { ${written}`],
  ]),
  [
    'a second login that restores, and owners that are left out',
    ['fallbacks.restore', 'steps[2].backup.owners'],
    ['backup: { keep: 30d }', 'backup: { keep: 30d, restore-as: { env: RESTORE_URL }, owners: false }'],
  ],
  [
    'a statement that may run for ever',
    ['steps[5].migrate.statement-timeout'],
    ['statement-timeout: 5m } }', 'statement-timeout: 0s } }'],
  ],
  [
    'a file whose lock timeout is 0',
    ['steps[6].sql.lock-timeout'],
    [
      '  - step: forbidden-writes',
      '  - { step: file, sql: { file: a.sql, undo: b.sql, lock-timeout: 0ms } }\n  - step: forbidden-writes',
    ],
  ],
  ['maintenance left before the check', ['steps[10].maintenance'], [OPEN, ''], [HEALTH, OPEN + HEALTH]],
  [
    'maintenance left after a check of the old release',
    ['steps[11].maintenance'],
    [HEALTH, ''],
    [RESTART, HEALTH + RESTART],
  ],
  [
    'maintenance left after flows alone',
    ['steps[11].maintenance'],
    [HEALTH, '  - { step: flows, flows: flows/shop.yaml }\n'],
  ],
  [
    'a check of the schema is no check of what serves',
    ['steps[11].maintenance'],
    [HEALTH, '  - { step: schema, check: { constraints: [a] } }\n'],
  ],
  [
    'maintenance left before it is entered',
    ['steps[1].maintenance'],
    [OPEN, ''],
    ['  - { step: close', `${OPEN}  - { step: close`],
    ['  - { step: close, maintenance: enter, in: [production] }\n', ''],
    [BACKUP, `  - { step: close, maintenance: enter, in: [production] }\n${BACKUP}`],
  ],
  ['maintenance never left', ['steps[1].maintenance'], [OPEN, '']],
  [
    'maintenance never entered',
    ['steps[10].maintenance'],
    ['  - { step: close, maintenance: enter, in: [production] }\n', ''],
  ],
  [
    'maintenance entered in an environment without one',
    ['steps[1].maintenance', 'steps[11].maintenance'],
    ['enter, in: [production]', 'enter'],
    ['leave, in: [production]', 'leave'],
  ],
  [
    'no maintenance at all',
    [],
    ['  - { step: close, maintenance: enter, in: [production] }\n', ''],
    [OPEN, ''],
  ],
  [
    'a restart before the switch',
    ['steps[9].switch'],
    [RESTART, ''],
    ['  - { step: switch', `${RESTART}  - { step: switch`],
  ],
  [
    'a switch without services',
    [],
    [RESTART, ''],
    ['    services:\n      - { name: web, systemd: { unit: shop } }\n', ''],
    [
      '    services:\n      - { name: web, systemd: { unit: shop } }\n      - { name: proxy, ' +
        'systemd: { unit: nginx, action: reload } }\n',
      '',
    ],
  ],
  ['no address', ['environments.staging.url'], ['    url: http://127.0.0.1:8001\n', '']],
  ['no soak', ['environments.staging'], [SOAK, '']],
  ['no watch', ['environments.production'], [WATCH, '']],
  ['a soak at the end', [], [WATCH, WATCH.replace('watch', 'soak')]],
  ['a soak and a watch at the end', ['environments.production.watch'], [WATCH, WATCH + SOAK]],
  ['a watch that no one reads', ['environments.staging.watch'], [SOAK, SOAK + WATCH]],
  [
    'more clean days than the soak is long',
    ['environments.staging.soak.clean-days'],
    [SOAK, SOAK.replace('every', 'clean-days: 8, every')],
  ],
  ['a soak of no length', ['environments.staging.soak.for'], ['for: 7d', 'for: 0s']],
  [
    'a metric that only records',
    [],
    ['paid: { at: /paid, unit: ratio, objective: at least 95%, alert: below 90% }', 'paid: { at: /paid }'],
  ],
  [
    'an alert inside the objective',
    ['monitors.shop.metrics.paid.alert'],
    ['alert: below 90%', 'alert: below 96%'],
  ],
  ['an alert at the objective', [], ['alert: below 90%', 'alert: below 95%']],
  ['thresholds of different measures', [], ['alert: below 90%', 'alert: above 3 in a row']],
  ['a category that no rule finds', ['steps[3].data.people-decide.other'], ['{ unknown-status:', '{ other:']],
  [
    'a category that a command may find',
    [],
    [
      '{ unknown-status: [fixed-manually] }',
      '{ other: [fixed-manually] }\n      check: { command: [node, check.mjs] }',
    ],
  ],
  [
    'a category that a machine changes',
    ['steps[3].data.people-decide.negative-total'],
    ['{ unknown-status:', '{ negative-total:'],
  ],
  [
    'a metric that the monitor does not give',
    ['monitors.site.metrics.speed'],
    ['      latency:', '      speed:'],
  ],
  ['a command whose reading says not where', ['monitors.shop.metrics.paid.at'], ['at: /paid, ', '']],
  [
    'a ratio of what is no counter',
    ['monitors.shop.metrics.paid.of'],
    ['at: /paid, ', 'at: /paid, of: orders, '],
  ],
  [
    'no baseline for thresholds of baseline',
    ['steps[9].check.http.mean', 'monitors.site.metrics.latency.objective'],
    ['  - { step: baseline, baseline: { http: { get: [/, /health] } } }\n', ''],
  ],
  [
    'a baseline after the check',
    ['steps[9].check.http.mean'],
    ['  - { step: baseline, baseline: { http: { get: [/, /health] } } }\n', ''],
    [OPEN, `  - { step: baseline, baseline: { http: { get: [/health] } } }\n${OPEN}`],
  ],
  ['a gate that waits for a window', ['gate.production.before-deploying[1]'], [', notice: 48h', '']],
  ['code back without a switch', ['fallbacks.old-code'], ['  - { step: switch, switch: release }\n', '']],
  ['a restore that is done', ['matrix[0].do'], ['do: stop', 'do: restore']],
  [
    'a restore that is done when it is approved',
    [],
    ['do: stop', 'do: restore'],
    ['{ loses: writes-since-backup }', '{ loses: writes-since-backup, approved: { roles: [dba] } }'],
  ],
  [
    'an approved restore by silence',
    ['matrix[5].unanswered.do'],
    ['4h, do: downgrade', '4h, do: restore'],
    ['{ loses: writes-since-backup }', '{ loses: writes-since-backup, approved: { roles: [dba] } }'],
  ],
  [
    'any fallback that went wrong walks one',
    ['matrix[4].do'],
    ['{ when: { fallback: downgrade }, ask: [restore]', '{ when: { fallback: any }, do: downgrade'],
  ],
  [
    'another fallback after one that went wrong',
    [],
    ['{ when: { fallback: downgrade }, ask: [restore]', '{ when: { fallback: downgrade }, do: old-code'],
  ],
  [
    'metrics that a log or the sessions do not give',
    ['monitors.shop.metrics.paid'],
    [
      'read: { command: [node, monitor.mjs, --json] }',
      'read: { log: { files: [a.log], lines: { errors: ERROR } } }',
    ],
    [
      'paid: { at: /paid, unit: ratio, objective: at least 95%, alert: below 90% }',
      'paid: { objective: exactly 0 }',
    ],
    ['{ monitor: shop/paid }', '{ monitor: shop }'],
  ],
  [
    'a rollback that shuts what is not there',
    ['environments.staging.rollback.close', 'environments.staging.rollback.stop[1]'],
    [
      'environments:\n  staging:\n',
      'environments:\n  staging:\n    rollback: { close: true, stop: [web, wep] }\n',
    ],
  ],
  [
    'contacts without a role that decides',
    ['contacts'],
    ['kind: constraints', 'contacts: { dba: dan@example.org }\nkind: constraints'],
  ],
  [
    'a matrix without rest',
    ['matrix'],
    [
      '  - { when: rest, ask: [continue, downgrade], unanswered: { after: 4h, do: downgrade }, ' +
        'severity: high }\n',
      '',
    ],
  ],
  [
    'rest before other lines',
    ['matrix[1]', 'matrix[2]', 'matrix[3]', 'matrix[4]', 'matrix[5]', 'matrix[6]'],
    ['matrix:\n', 'matrix:\n  - { when: rest, do: stop }\n'],
  ],
];

const named = cases.map(([what, paths, ...edits]) => ({ what, paths, edits }));

describe('lint', () => {
  test.each(named)('$what', ({ paths, edits }) => {
    const complaints = complaintsOf(edited(smallPlan, ...edits));
    expect(complaints.map(({ path }) => path).toSorted()).toEqual(paths.toSorted());
  });

  test('every rule refuses some of these', () => {
    const plans = named.map(({ edits }) =>
      toPlan(planFile.parse(readSource(edited(smallPlan, ...edits)).value)),
    );
    const silent = planRules.filter((rule) => plans.every((plan) => rule(plan).length === 0));
    expect(silent.map(({ name }) => name)).toEqual([]);
  });
});
