// The plan that the workflow tests walk.

export interface PlanWords {
  readonly soak?: string;
  readonly watch?: string;
  readonly only?: 'staging';
  readonly afterwards?: string;
  readonly kind?: string;
  /** Further lines of the fallbacks, and of the matrix before all others. */
  readonly fallbacks?: string;
  readonly matrix?: string;
  /** Production is entered in a window only. */
  readonly window?: string;
}

/** Post-deployment checks, in the last environment only. */
const checks = (afterwards: string | undefined) => (afterwards ? `    afterwards: { ${afterwards} }\n` : '');

/** Two environments with a gate between them; seven days of soak, read once an hour. */
export const storyPlan = ({
  soak = 'for: 7d, every: 1h, gap: at most 4h',
  watch = 'for: 1d, every: 1h, gap: at most 4h',
  only,
  afterwards,
  kind = 'constraints',
  fallbacks = '',
  matrix = '',
  window,
}: PlanWords = {}): string => `
soakgate: 1
service: shop
summary: Totals are never negative
kind: ${kind}
release: { ref: v2 }
migrations: { sql: { folder: migrations, pending: [0002_guards] } }
environments:
  staging:
    url: http://127.0.0.1:8001
    services: [{ name: web, process: { command: [node, server.mjs], pid-file: web.pid, ready: /health } }]
    soak: { ${soak} }
${
  only
    ? checks(afterwards)
    : `  production:
    url: https://shop.example.org
    services: [{ name: web, process: { command: [node, server.mjs], pid-file: web.pid, ready: /health } }]
    watch: { ${watch} }
${checks(afterwards)}${window ? `    window: { opens: ${window}, zone: Europe/Berlin, length: 2h }\n` : ''}`
}steps:
  - { step: backup, backup: { tool: pg_dump, format: custom, keep: 30d } }
  - step: data
    data:
      rules:
        - { rule: negative-total, table: orders, bad: total < 0, fix: total = 0 }
        - { rule: unknown-status, table: orders, bad: status is null }
      people-decide: { unknown-status: [fixed-manually] }
  - { step: preview, preview: { lint: error, rehearse: up-down-up } }
  - { step: migrate, migrate: { lock-timeout: 50ms, give-up-after: 2m, statement-timeout: 5m } }
  - { step: refused, forbidden: [{ table: orders, set: { total: -1 }, by: orders_total_non_negative }] }
  - { step: switch, switch: release }
  - { step: restart, restart: [web] }
monitors:
  site: { read: { http: { get: /health, status: 200 } }, metrics: { failures: { objective: exactly 0, alert: above 2 in a row } } }
  shop: { read: { command: [node, monitor.mjs] }, metrics: { paid: { at: /paid, unit: ratio, objective: at least 95%, alert: below 90% } } }
${
  only
    ? ''
    : `gate:
  production:
    sealed: [soak-passed, same-release, backup-proven, rollback-rehearsed]
    approved: { roles: [lead, dba], within: 7d }
${window ? '    before-deploying: [window-open]\n' : ''}`
}fallbacks:
  downgrade: { to: recorded }
${fallbacks}matrix:
${matrix}  - { when: { before: migrate }, do: stop }
  - { when: { step: migrate }, do: downgrade, severity: high }
  - { when: { monitor: site/failures }, do: downgrade, severity: high }
  - { when: { monitor: shop/paid }, ask: [continue, downgrade], unanswered: { after: 4h, do: downgrade }, severity: high }
  - { when: rest, do: stop }
`;
