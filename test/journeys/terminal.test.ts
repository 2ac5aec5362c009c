// The demo as a person at a terminal meets it: the live tree, the questions, and every way to leave at one of
// them.
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Left, portsOf, processesOf, stillListening } from '../support/left-behind.ts';
import { CTRL_C, ENTER, openPseudoTerminal, type PseudoTerminal } from '../support/pseudo-terminal.ts';

const SOAKGATE = join(import.meta.dirname, '../../bin/soakgate.mjs');
const LONGEST_MS = 600_000;
const TAKEN_DOWN_MS = 60_000;
const NOTHING = { processes: [], folders: [] };
const SIZE = { columns: 140, rows: 50 };
/** Temporal, its Web UI, PostgreSQL and two applications, at the least. */
const PORTS = 5;
// oxlint-disable-next-line no-control-regex -- up over the tree that was drawn before, and away with it
const REDRAW = /\u001b\[\d+A\r\u001b\[J/gu;
const MEND = /dan, two orders have an unknown status\..*\[Y\/n\] /u;
const AS_LEAD = /lea, as lead: read the gate report and decide\? \[Y\/n\] /u;
const AS_DBA = /dan, as dba: read the gate report and decide\? \[Y\/n\] /u;
const ATTEST = /Confirm and sign this statement\? \[y\/N\] /u;
const SIGN = /Approve the deployment to production based on this gate report\? \[y\/N\] /u;

let scene = '';
let terminal: PseudoTerminal;

beforeEach(async () => {
  // Its own TMPDIR, so that what is left can be seen; PostgreSQL runs as a person of its own, who must get
  // through.
  scene = await mkdtemp(join(tmpdir(), 'sgt-'));
  await chmod(scene, 0o755);
  terminal = await openPseudoTerminal(
    [process.execPath, SOAKGATE, 'demo', '--pace', '7d=12s'],
    { ...process.env, TMPDIR: scene },
    SIZE,
  );
});

afterEach(async () => {
  await terminal.close();
  // One that does not take itself down must not live on beside the next test.
  for (const { pid } of (await leftAfterAWhile()).processes) process.kill(pid, 'SIGKILL');
  await rm(scene, { recursive: true, force: true });
});

test(
  'a person sees the live tree, signs as lead, and Ctrl-C at the signature of the dba leaves nothing',
  { timeout: LONGEST_MS },
  async () => {
    const [, ui = ''] = await terminal.sees(/Temporal Web UI: (http:\S+)/u);
    expect((await fetch(ui)).status).toBe(200);
    const [, deployment = ''] = await terminal.sees(/this deployment: http:\S+(orders-demo-[0-9a-f]{4})/u);
    // The link comes before the tree, while there is nothing else to look at.
    await terminal.sees(new RegExp(`${deployment}: `, 'u'));

    // What is asked about stands on the tree above the question.
    await terminal.sees(/waiting for: a decision \(fixed-manually \| stop\) about data/u);
    await terminal.sees(/✗ fail\s+data .*2 for people/u);
    await terminal.sees(MEND);
    terminal.type(ENTER);
    await terminal.sees(/▶ running\s+staging\s+soak\r/u);
    await terminal.sees(
      /waiting for: the gate of production: attestation shop-tried by lead; approval by lead and dba/u,
    );
    await terminal.sees(ATTEST);
    expect(trees(deployment).at(-1)).toMatch(
      /✓ pass\s+backup\s+\d+\.\d s\s+proven by restore[^]*· waiting\s+production\n/u,
    );
    terminal.type(`y${ENTER}`);
    await terminal.sees(AS_LEAD);
    terminal.type(ENTER);
    await terminal.sees(/Gate report 1 of production, deployment orders-demo-/u);
    await terminal.sees(/✓ holds\s+backup-proven\s+proven by restore/u);
    await terminal.sees(/receipts/u);
    await terminal.sees(SIGN);
    // Not to sign is the default: who comes to it by mistake is asked again, or the demo would wait for ever.
    terminal.type(ENTER);
    await terminal.sees(/waiting for: the gate of production: approval by lead and dba/u);
    await terminal.sees(AS_LEAD);
    terminal.type(ENTER);
    await terminal.sees(SIGN);
    terminal.type(`y${ENTER}`);
    await terminal.sees(AS_DBA);
    terminal.type(ENTER);
    await terminal.sees(SIGN);

    // Drawn over itself again and again: what stays on the screen is one tree above each question.
    expect(terminal.written().match(REDRAW)?.length).toBeGreaterThan(10);
    expect(trees(deployment)).toHaveLength(3);
    const processes = await processesOf(scene);
    const ports = await portsOf(processes);
    expect(ports.length, JSON.stringify(processes)).toBeGreaterThanOrEqual(PORTS);
    expect(ports).toContain(Number(new URL(ui).port));
    expect(await stillListening(ports)).toEqual(ports);
    terminal.type(CTRL_C);
    expect(await terminal.ended()).toBe(130);
    expect(await left()).toEqual(NOTHING);
    expect(await stillListening(ports)).toEqual([]);
  },
);

test(
  'Ctrl-C at a question of the demo itself, and again out of impatience, leaves nothing',
  { timeout: LONGEST_MS },
  async () => {
    await terminal.sees(MEND);
    terminal.type(CTRL_C);
    await terminal.sees(/taking everything down/u);
    terminal.type(CTRL_C);
    expect(await terminal.ended()).toBe(130);
    expect(await left()).toEqual(NOTHING);
    // It was left, not answered.
    expect(terminal.written()).not.toContain('$ soakgate decide');
  },
);

test('a person who closes the window at a question leaves nothing', { timeout: LONGEST_MS }, async () => {
  await terminal.sees(MEND);
  await terminal.close();
  expect(await leftAfterAWhile()).toEqual(NOTHING);
});

/** The trees that stay on the screen, each from its first line to the next one's. */
function trees(deployment: string): readonly string[] {
  return terminal.screen().join('\n').split(`\n${deployment}: `).slice(1);
}

/** Processes and folders. */
async function left(): Promise<{ readonly processes: readonly Left[]; readonly folders: readonly string[] }> {
  return { processes: await processesOf(scene), folders: await readdir(scene) };
}

/** Looks until nothing is left, or there was time enough to take it down. */
async function leftAfterAWhile(): ReturnType<typeof left> {
  for (const deadline = Date.now() + TAKEN_DOWN_MS; ;) {
    const now = await left();
    if (now.processes.length + now.folders.length === 0 || Date.now() > deadline) return now;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
