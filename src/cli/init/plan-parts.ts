// The parts of the first plan that differ most: release, migrations, environments.
import type { Found, FoundMigrations, FoundService } from './found.ts';
import { commented, list, word } from './yaml-words.ts';

/** More names than this, and nobody reads them. */
const SHOWN = 12;

export function releaseLines({ ref, build }: Found): string[] {
  const pinned = 'pinned to one commit when the deployment starts';
  return [
    'release:',
    commented(
      `  ref: ${word(ref ?? 'main')}`,
      ref === null ? `CHANGE: branch, tag or commit; ${pinned}` : pinned,
    ),
    ...(build
      ? [
          commented(
            `  lock: ${word(build.lock)}`,
            build.environment ? 'one built environment is kept for each lock hash ...' : '',
          ),
          ...(build.environment
            ? [commented(`  environment: ${build.environment}`, '... and linked into each checkout')]
            : []),
          '  install:',
          ...build.install.map((command) => `    - ${list(command)}`),
        ]
      : [commented('  # install: [[make, build]]', 'CHANGE: how it is built, if it is')]),
  ];
}

export function migrationLines({ migrations, before, build }: Found): string[] {
  if (!migrations) return [];
  return [
    commented('commands:', "how the release's own commands run"),
    ...(build && build.path.length > 0 ? [`  path: ${list(build.path)}`] : []),
    commented(
      '  env: { DATABASE_URL: { from: database } }',
      'CHANGE: the variable in which your app finds its database; in a rehearsal the copy',
    ),
    '',
    commented('migrations:', 'a declaration: exactly these are pending, or the run stops'),
    `  ${migrations.tool.key}:`,
    ...migrations.tool
      .firstPlan(migrations.at)
      .map(([key, value, comment]) => commented(`    ${key}: ${word(value)}`, comment)),
    ...pendingLines(migrations, before),
    '',
  ];
}

/**
 * What a release adds is what is new since the last one; where that is unknown nothing is guessed, and the
 * run would stop.
 */
function pendingLines({ tool, all, fresh }: FoundMigrations, before: string | null): string[] {
  if (fresh && fresh.length > 0)
    return [
      commented('    pending:', `CHANGE if wrong: new since ${before}; ${tool.askDatabase}`),
      ...fresh.map((name) => `      - ${name}`),
    ];
  if (fresh)
    return [
      commented('    pending: []', `CHANGE if wrong: none is new since ${before}; ${tool.askDatabase}`),
    ];
  const shown = all.slice(-SHOWN);
  return [
    commented('    pending: []', `CHANGE: name those that are not applied yet; ${tool.askDatabase}`),
    ...(all.length > shown.length ? [`      # ... ${all.length - shown.length} earlier ones`] : []),
    ...shown.map((name) => `      # - ${name}`),
  ];
}

export function environmentLines({ services }: Found): string[] {
  const own = services.length > 0 ? ['    services:', ...services.flatMap(serviceLines)] : noServices;
  return [
    commented(
      'environments:',
      'deployed in this order; the environment file on the host may override addresses',
    ),
    '  staging:',
    commented('    url: http://127.0.0.1:8001', 'CHANGE: where the service answers on staging'),
    ...own,
    '    soak: { for: 7d, every: 1m, clean-days: 7, gap: at most 5m, extend: at most 7d }',
    '  production:',
    commented('    url: http://127.0.0.1:8001', 'CHANGE: where it answers in production'),
    ...own,
    '    watch: { for: 24h, every: 1m, gap: at most 5m }',
  ];
}

const noServices = [
  '    # services:                # CHANGE: what is restarted',
  '    #   - { name: web, systemd: { unit: web } }',
];

function serviceLines({ name, unit, command }: FoundService): string[] {
  if (unit !== undefined) return [`      - { name: ${word(name)}, systemd: { unit: ${word(unit)} } }`];
  return [
    commented(`      - name: ${word(name)}`, 'CHANGE: a process of its own; or systemd: { unit: NAME }'),
    '        process:',
    `          command: ${list(command ?? [])}`,
    `          pid-file: ${word(`${name}.pid`)}`,
    commented(
      '          env: { PORT: "8001" }',
      'CHANGE: no secret; those stand in the file of the environment',
    ),
    '          ready: /health',
  ];
}
