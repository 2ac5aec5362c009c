// Two environments with a gate between them: what the tests of trust and evidence walk through.
import { randomUUID } from 'node:crypto';
import type { Bound, MessageName, SealedGateReport, Signed } from '../../src/core/messages.ts';
import { deploymentWorkflowId } from '../../src/core/ids.ts';
import type { Json } from '../../src/core/plan/plan.ts';
import { readPrivateKey, signMessage } from '../../src/io/trust.ts';
import { sendMessage } from '../../src/client/send.ts';
import type { start, Stage } from './stage.ts';
import { here } from './signing.ts';

/**
 * baseline → backup → data → preview → migrate → refused → switch → restart; a short soak, a gate of two
 * roles, a short watch.
 */
export const twoPlacesPlan = (
  first: string,
  second: string,
  changes: { readonly extra?: string; readonly soak?: string } = {},
): string => `
soakgate: 1
service: orders
summary: Guards on every order
kind: constraints
release: { ref: v2 }
commands: { env: { DATABASE_URL: { from: database }, ORDERS_MODULES: { env: ORDERS_MODULES } } }
migrations: { sql: { folder: migrations, ledger: schema_migrations, journal: audit.change_ledger, pending: [0002_order_guards, 0003_order_totals] } }
environments:
  ${first}:
    url: http://127.0.0.1:8001
    services: [{ name: web, process: { command: [node, server.mjs], pid-file: web.pid, ready: /health } }]
    soak: { for: ${changes.soak ?? '7d'}, every: 1h, gap: at most 5h }
  ${second}:
    url: http://127.0.0.1:8002
    services: [{ name: web, process: { command: [node, server.mjs], pid-file: web.pid, ready: /health } }]
    watch: { for: 1d, every: 1h, gap: at most 5h }
steps:
  - { step: baseline, baseline: { } }
  - { step: backup, backup: { tool: pg_dump, format: custom, keep: 30d } }
${changes.extra ?? ''}  - step: data
    data:
      rules:
        - { rule: negative-total, table: orders, bad: total_cents < 0, fix: total_cents = -total_cents }
        - { rule: zero-qty, table: order_items, bad: qty = 0, fix: qty = 1 }
  - { step: preview, preview: { lint: error, rehearse: up-down-up } }
  - { step: migrate, migrate: { lock-timeout: 50ms, give-up-after: 2m, statement-timeout: 5m } }
  - { step: refused, forbidden: [{ table: orders, set: { total_cents: -1 }, by: orders_total_non_negative }] }
  - { step: switch, switch: release }
  - { step: restart, restart: [web] }
monitors: { site: { read: { http: { get: /health, status: 200 } }, metrics: { failures: { objective: exactly 0, alert: above 2 in a row } } } }
gate:
  ${second}:
    sealed: [soak-passed, same-release, backup-proven, rollback-rehearsed]
    attested: [{ id: tried, role: lead, text: It was tried by hand }]
    approved: { roles: [lead, dba], within: 7d }
fallbacks: { downgrade: { to: recorded } }
matrix:
  - { when: { step: migrate }, do: downgrade, severity: high }
  - { when: rest, do: stop, severity: high }
`;

/** A week in two seconds. */
export const PACE = { nominalMs: 604_800_000, realMs: 2_000 };

type Started = Awaited<ReturnType<typeof start>>;

/** Waits for the sealed gate report of an environment. */
export async function sealedGateReport(
  stage: Stage,
  { deployment }: Started,
  environment: string,
): Promise<SealedGateReport> {
  const handle = stage.connected.client.workflow.getHandle(deploymentWorkflowId(deployment));
  for (;;) {
    const gateReport = (await handle
      .query('gateReport', environment)
      .catch(() => null)) as SealedGateReport | null;
    if (gateReport) return gateReport;
    if ((await handle.describe()).status.name !== 'RUNNING')
      throw new Error(`no gate report: ${JSON.stringify(await handle.result())}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export interface Words {
  readonly message: MessageName;
  readonly person: keyof Stage['people'];
  readonly body?: Readonly<Record<string, Json>>;
  /** Signed with another person's key. */
  readonly key?: keyof Stage['people'];
}

/**
 * One message about the gate, signed; its body is what an honest client would write unless said otherwise.
 */
export async function signFor(
  stage: Stage,
  started: Started,
  gateReport: SealedGateReport,
  { message, person, body = {}, key }: Words,
): Promise<Signed> {
  const run = started.input.runs.find(
    ({ rollout }) => rollout.environment === gateReport.gateReport.environment,
  )!;
  const bound: Bound & Record<string, Json> = {
    deployment: started.deployment,
    environment: run.rollout.environment,
    ...here(),
    nonce: randomUUID(),
    expires: new Date(Date.now() + 3_600_000).toISOString(),
    plan: gateReport.gateReport.plan,
    ...(message === 'approve' && {
      list: gateReport.gateReport.list,
      commit: gateReport.gateReport.commit,
      gateReport: gateReport.hash,
      comment: 'looks good',
    }),
    ...(message === 'attest' && { attestation: 'tried', text: 'It was tried by hand' }),
    ...body,
  };
  return signMessage(await readPrivateKey(stage.people[key ?? person].keyFile), message, person, bound);
}

/** The attestation and both approvals. */
export async function openGate(stage: Stage, started: Started, gateReport: SealedGateReport): Promise<void> {
  for (const words of [
    { message: 'attest', person: 'lea' },
    { message: 'approve', person: 'lea' },
    { message: 'approve', person: 'dan' },
  ] as const) {
    const sent = await sendMessage(stage.connected, await signFor(stage, started, gateReport, words));
    if (sent.outcome !== 'accepted') throw new Error(`${words.message} by ${words.person}: ${sent.text}`);
  }
}
