// The demo's people: they answer through the same commands as anybody, with throw-away keys.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline/promises';
import { withSession } from '../../io/postgres.ts';
import type { Scene } from './scene.ts';

export const SOAKGATE = fileURLToPath(new URL('../../../bin/soakgate.mjs', import.meta.url));

export interface Company {
  readonly scene: Scene;
  readonly deployment: string;
  /** Nobody is asked: everybody agrees at once. */
  readonly ci: boolean;
  readonly say: (text: string) => void;
}

/** Runs one soakgate command as a person; its output goes to stderr. */
export async function asPerson({ scene, say }: Company, person: 'rae' | 'lea' | 'dan', args: readonly string[]): Promise<number> {
  const argv = [...args, '--as', person, '--key', scene.people[person].keyFile];
  say(`$ soakgate ${args.join(' ')} --as ${person}`);
  const child = spawn(process.execPath, [SOAKGATE, ...argv], {
    stdio: ['inherit', 2, 2],
    env: { ...process.env, TEMPORAL_ADDRESS: scene.server.address },
  });
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}

/** The dba looks at the rows that no machine changes, mends them by hand and says so. */
export async function decideRows(company: Company, environment: string): Promise<void> {
  if (!(await agrees(company, `dan, two orders have a status that nobody knows. Set them to 'cancelled' by hand?`))) {
    await asPerson(company, 'dan', ['decide', company.deployment, environment, 'stop']);
    return;
  }
  const site = environment === 'production' ? company.scene.sites.production : company.scene.sites.staging;
  const sql = "update orders set status = 'cancelled' where status not in ('pending', 'paid', 'shipped', 'cancelled')";
  company.say(`dan, in psql: ${sql}`);
  await withSession(site.database, 'dan', (session) => session.query(sql.replace('orders', 'public.orders')));
  await asPerson(company, 'dan', ['decide', company.deployment, environment, 'by-hand']);
}

/** At the gate: one attestation, two approvals. The requester is a third person. */
export async function openGate(company: Company, environment: string): Promise<void> {
  const { deployment } = company;
  await asPerson(company, 'lea', ['attest', deployment, environment, 'shop-tried', ...(company.ci ? ['--yes'] : [])]);
  for (const [person, role] of [
    ['lea', 'lead'],
    ['dan', 'dba'],
  ] as const) {
    if (!(await agrees(company, `${person}, as ${role}: look at the dossier and decide?`, 'the dossier is shown before anything is signed'))) {
      await asPerson(company, person, ['reject', deployment, environment]);
      return;
    }
    await asPerson(company, person, ['approve', deployment, environment, ...(company.ci ? ['--yes'] : [])]);
  }
}

async function agrees({ ci, say }: Company, question: string, more = ''): Promise<boolean> {
  if (ci) return true;
  if (more) say(more);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-C at a question never becomes a signal by itself; it means the same as anywhere else.
  const answer = await terminal.question(`${question} [Y/n] `).catch(() => {
    process.kill(process.pid, 'SIGINT');
    return 'n';
  });
  terminal.close();
  return !/^n/iu.test(answer.trim());
}
