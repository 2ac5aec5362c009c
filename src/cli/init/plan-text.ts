// The first plan of a folder, as text. It passes validation as it stands; what a person must look at says
// CHANGE.
import type { Found } from './found.ts';
import { environmentLines, migrationLines, releaseLines } from './plan-parts.ts';
import { commented, phrase, word } from './yaml-words.ts';

/** The whole plan. `modeline` tells an editor where the schema lies. */
export function planText(found: Found, modeline: string): string {
  return [
    `# yaml-language-server: $schema=${modeline}`,
    '# Made by `soakgate init` from what lies in this folder. Lines with CHANGE are guesses, or wait ' +
      'for you.',
    '# Every key: docs/plan.md of Soakgate. Then: soakgate validate soakgate.yaml, soakgate plan ' +
      'soakgate.yaml',
    ...head(found),
    '',
    ...releaseLines(found),
    '',
    ...migrationLines(found),
    ...environmentLines(found),
    '',
    ...stepLines(found),
    '',
    ...monitorLines,
    '',
    ...gateLines(found),
    '',
    ...wayLines(found),
    '',
  ].join('\n');
}

const head = ({ service, ref, migrations }: Found): string[] => [
  'soakgate: 1',
  `service: ${word(service)}`,
  commented(
    `summary: ${phrase(ref === null ? `A release of ${service}` : `Release ${ref} of ${service}`)}`,
    'CHANGE: one line for those who will approve it',
  ),
  ...(migrations
    ? [
        commented(
          'kind: columns',
          'CHANGE: columns (code rolls back before the schema), constraints or view (after it),',
        ),
        commented('', 'flags, or code (no schema in it)'),
      ]
    : [commented('kind: code', 'no migrations; else columns, constraints, view or flags')]),
];

function stepLines({ migrations, services, build }: Found): string[] {
  const tools = [
    'git',
    ...(build ? [build.path.length > 0 ? 'python3' : 'npm'] : []),
    ...(migrations ? ['psql', 'pg_dump', 'pg_restore'] : []),
  ];
  const disk = migrations ? ', disk: at least 300% of database' : '';
  const names = services.map(({ name }) => word(name)).join(', ');
  return [
    commented('steps:', 'one list, walked from top to bottom in each environment'),
    `  - { step: preflight, preflight: { tools: [${tools.join(', ')}]${disk} } }`,
    ...(migrations ? databaseSteps : []),
    commented('  - { step: switch, switch: release }', 'the new checkout serves from here on'),
    services.length > 0
      ? `  - { step: restart, restart: [${names}] }`
      : commented(
          '  # - { step: restart, restart: [web] }',
          'CHANGE: what restarts it; name it under services above',
        ),
    commented(
      '  - { step: health, check: { http: { get: /health, status: 200, within: 60s } } }',
      'CHANGE: a path that asks the database, too',
    ),
  ];
}

const databaseSteps: readonly string[] = [
  commented('  - { step: backup, backup: { keep: 30d } }', 'proven by a restore before anything is changed'),
  '  # - step: data               # CHANGE: rows that the new rules would refuse; found and fixed ' +
    'before the migration',
  '  #   data:',
  '  #     rules:',
  '  #       - { rule: negative-total, table: orders, bad: total < 0, fix: total = -total }',
  commented(
    '  - { step: preview, preview: { lint: error, rehearse: up-down-up } }',
    'rehearsed on a fresh copy of the database',
  ),
  '  - { step: migrate, migrate: { lock-timeout: 50ms, give-up-after: 2m, statement-timeout: 5m } }',
  '  # - { step: schema, check: { constraints: [orders_total_non_negative] } }      # CHANGE: what ' +
    'the migration must have made',
];

const monitorLines: readonly string[] = [
  commented('monitors:', 'read all through soak and watch; silence is never a pass'),
  '  site:',
  commented('    read: { http: { get: /health, status: 200 } }', 'CHANGE: the same path as above'),
  '    metrics:',
  '      failures: { objective: exactly 0, alert: above 2 in a row }',
  '      latency:  { unit: ms, objective: at most 500ms for 10m, alert: above 2s for 10m }',
];

const gateLines = ({ migrations }: Found): string[] => [
  commented('gate:', 'conditions for deploying to production'),
  '  production:',
  `    sealed: [soak-passed, same-release${migrations ? ', backup-proven, rollback-rehearsed' : ''}]`,
  commented(
    '    approved: { roles: [lead, dba], within: 7d }',
    'CHANGE: roles of your environment files; one person each, never who requests',
  ),
];

function wayLines({ migrations }: Found): string[] {
  const [fallback, back] = migrations
    ? ['downgrade', '{ to: recorded }']
    : ['old-code', '{ code: rollback }'];
  return [
    commented('fallbacks:', 'the fallbacks'),
    `  ${fallback}: ${back}`,
    '',
    commented('matrix:', 'what is done about a symptom; the first line that fits decides'),
    ...(migrations
      ? [
          commented(
            '  - { when: { before: migrate }, do: stop }',
            'nothing is changed yet; rows that were fixed roll back',
          ),
          '  - { when: { step: migrate }, do: downgrade, severity: high }',
        ]
      : []),
    `  - { when: { step: health }, do: ${fallback}, severity: critical }`,
    `  - { when: { monitor: any, is: inconclusive, for: 30m }, ask: [continue, ${fallback}], ` +
      'severity: high }',
    `  - { when: { monitor: site }, do: ${fallback}, severity: critical }`,
    commented(
      `  - { when: rest, ask: [continue, ${fallback}], severity: high }`,
      'without an answer it waits',
    ),
  ];
}
