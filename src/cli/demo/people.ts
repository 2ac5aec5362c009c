// The demo's people: they answer through the same commands as anybody, with throw-away keys.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { withSession } from '../../io/postgres.ts';
import type { Scene } from './scene.ts';

export const SOAKGATE = fileURLToPath(new URL('../../../bin/soakgate.mjs', import.meta.url));

export interface Company {
  readonly scene: Scene;
  readonly deployment: string;
  /** Nobody is asked: everybody agrees at once. */
  readonly ci: boolean;
  readonly say: (text: string) => void;
  /** Who leaves at a question, leaves the demo: not every way of leaving becomes a signal to us. */
  readonly interrupt: () => void;
}

/** What `soakgate` exits with after Ctrl-C. */
const INTERRUPTED = 130;

/** Runs one soakgate command as a person; its output goes to stderr. True when it has done its work. */
export async function asPerson(
  company: Company,
  person: 'rae' | 'lea' | 'dan',
  args: readonly string[],
): Promise<boolean> {
  const { scene, say } = company;
  const argv = [...args, '--as', person, '--key', scene.people[person].keyFile];
  say(`$ soakgate ${args.join(' ')} --as ${person}`);
  const child = spawn(process.execPath, [SOAKGATE, ...argv], {
    stdio: ['inherit', 2, 2],
    env: { ...process.env, TEMPORAL_ADDRESS: scene.server.address },
  });
  // A question may not outlive a demo that is ended from outside.
  const end = () => child.kill();
  process.once('exit', end);
  const code = await new Promise((resolve) => child.once('exit', resolve));
  process.off('exit', end);
  return code === INTERRUPTED ? left(company) : code === 0;
}

/** The demo is being ended; nothing more of its story is told. */
function left({ interrupt }: Company): Promise<never> {
  interrupt();
  return new Promise(() => undefined);
}

/** What nobody being there comes to, of what is offered: go on, else end. */
export function unattended(offered: readonly string[]): string {
  return (
    ['continue', 'stop', 'leave-as-is'].find((word) => offered.includes(word)) ?? offered.at(-1) ?? 'stop'
  );
}

/** The dba looks at the rows that no machine changes, mends them by hand and says so. */
export async function decideRows(company: Company, environment: string): Promise<boolean> {
  if (!(await agrees(company, `dan, two orders have an unknown status. Set them to 'cancelled' manually?`)))
    return asPerson(company, 'dan', ['decide', company.deployment, environment, 'stop']);
  const site = environment === 'production' ? company.scene.sites.production : company.scene.sites.staging;
  const sql =
    "update orders set status = 'cancelled' where status not in ('pending', 'paid', 'shipped', 'cancelled')";
  company.say(`dan, in psql: ${sql}`);
  await withSession(site.database, 'dan', (session) => session.query(sql.replace('orders', 'public.orders')));
  return asPerson(company, 'dan', ['decide', company.deployment, environment, 'fixed-manually']);
}

/**
 * At the gate: one attestation, two approvals, as far as they are still wanted. The requester is a third
 * person. True when all was signed.
 */
export async function openGate(company: Company, environment: string, wanted: string): Promise<boolean> {
  const { deployment, ci } = company;
  const yes = ci ? ['--yes'] : [];
  if (
    wanted.includes('attestation') &&
    !(await asPerson(company, 'lea', ['attest', deployment, environment, 'shop-tried', ...yes]))
  )
    return false;
  const approvals = wanted.slice(wanted.indexOf('approval by'));
  for (const [person, role] of [
    ['lea', 'lead'],
    ['dan', 'dba'],
  ] as const) {
    if (!approvals.includes(role)) continue;
    const shown = `Soakgate shows the gate report before you sign; n rejects ${environment}`;
    // Asked already, so that refusing is not asked about a second time.
    if (!(await agrees(company, `${person}, as ${role}: read the gate report and decide?`, shown)))
      return asPerson(company, person, ['reject', deployment, environment, '--yes']);
    if (!(await asPerson(company, person, ['approve', deployment, environment, ...yes]))) return false;
  }
  return true;
}

async function agrees(company: Company, question: string, more = ''): Promise<boolean> {
  if (company.ci) return true;
  if (more) company.say(more);
  // The terminal reads the line itself: Ctrl-C stays a signal, and readline fails when a window is closed
  // whose mode it has changed.
  const terminal = createInterface({ input: process.stdin, terminal: false });
  process.stderr.write(`${question} [Y/n] `);
  const answer = await new Promise<string | null>((resolve) =>
    terminal.once('line', resolve).once('close', () => resolve(null)),
  );
  terminal.close();
  // Nothing more will ever be typed.
  return answer === null ? left(company) : !/^n/iu.test(answer.trim());
}
