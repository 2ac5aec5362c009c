// A deployment for the commands to act on: one environment behind a gate of its own, nothing in it that takes
// long.
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Cast, ordersDatabase, raiseEnvironment, raiseStage, type Stage } from '../support/stage.ts';
import { call, type Called, type Surroundings } from './call.ts';

export const gatedPlan = (environment: string, summary = 'Behind a gate'): string => `soakgate: 1
service: orders
summary: ${summary}
kind: code
release: { ref: v2 }
commands: { env: { DATABASE_URL: { from: database }, ORDERS_MODULES: { env: ORDERS_MODULES } } }
environments:
  ${environment}:
    url: http://127.0.0.1:8001
    soak: { for: 10m, every: 1m, gap: at most 5m }
steps:
  - { step: look, check: { command: [psql, -Xqc, select 1] } }
  - { step: mark, run: { command: [node, --version], changes: [files] } }
  - { step: switch, switch: release }
monitors: { clock: { read: { command: [psql, -XqtAc, 'select json_build_object(''late'', 0)'] }, metrics: { late: { at: /late, objective: exactly 0, alert: above 2 in a row } } } }
gate:
  ${environment}:
    attested: [{ id: tried, role: lead, text: The release was tried by hand }]
    approved: { roles: [dba], within: 7d }
fallbacks: { old-code: { code: rollback } }
matrix:
  - { when: rest, do: stop, severity: high }
contacts: { lead: lea@example.org, dba: dan@example.org }
`;

export interface Play {
  readonly stage: Stage;
  readonly cast: Cast;
  readonly environment: string;
  /** Runs a command with the keys and the server of this play. */
  readonly soakgate: (args: readonly string[], more?: Surroundings) => Promise<Called>;
  readonly writePlan: (name: string, text: string) => Promise<string>;
  stop(): Promise<void>;
}

export async function raisePlay(environment: string): Promise<Play> {
  const stage = await raiseStage();
  const cast = await raiseEnvironment(stage, await ordersDatabase(stage, environment), { environment });
  const config = join(stage.folder, 'config');
  const keys = join(config, 'soakgate', 'keys');
  await mkdir(keys, { recursive: true, mode: 0o700 });
  for (const { name, keyFile } of Object.values(stage.people)) await cp(keyFile, join(keys, `${name}.key`));
  const env = {
    TEMPORAL_ADDRESS: stage.server.address,
    XDG_CONFIG_HOME: config,
    SOAKGATE_UI: 'http://ui.example.org',
  };
  return {
    stage,
    cast,
    environment,
    soakgate: (args, more = {}) => call(args, { cwd: stage.folder, ...more, env: { ...env, ...more.env } }),
    writePlan: async (name, text) => {
      const file = join(stage.folder, name);
      await writeFile(file, text);
      return file;
    },
    stop: async () => {
      await cast.stop();
      await stage.stop();
    },
  };
}
