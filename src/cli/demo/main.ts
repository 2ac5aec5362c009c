// `soakgate demo`: the main job on real parts, started, answered and taken down again, whatever its outcome.
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { connectClient, type Connected } from '../../client/connection.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { signStart, startDeployment } from '../../client/start.ts';
import { DAY_MS, type Pace } from '../../core/pace.ts';
import { parsePlan, renderComplaint } from '../../core/plan/parse.ts';
import { readPrivateKey } from '../../io/trust.ts';
import { deploymentWorkflowId } from '../../core/ids.ts';
import { readPace } from '../options.ts';
import { beforehand, type Fault, faults, injector } from './faults.ts';
import { follow, type Look } from './follow.ts';
import { keepEvidence } from './kept-evidence.ts';
import { asPerson, type Company, decideRows, openGate, unattended } from './people.ts';
import { openScreen, type Screen } from './screen.ts';
import { raiseScene, type Scene } from './scene.ts';
import { ORDERS } from './site.ts';

/** Seven days of the plan pass in twenty seconds, where nobody says otherwise. */
const PACE = { nominalMs: 7 * DAY_MS, realMs: 20_000 };
/** A worker that is killed in a compressed soak is missed before that soak is over. */
const TIMING = { observeHeartbeatMs: 6_000 };
const EXIT: Readonly<Record<string, number>> = {
  completed: 0,
  failed: 1,
  'rolled-back': 3,
  rejected: 4,
  expired: 4,
  stuck: 5,
};
const CANCELLED = 130;
const INTERNAL = 70;

const started = Date.now();
const values = readArguments();
const say = (text: string) =>
  void process.stderr.write(`${((Date.now() - started) / 1000).toFixed(1).padStart(6)} ${text}\n`);

if (values.break !== undefined && !faults.includes(values.break as Fault)) {
  process.stderr.write(`--break ${values.break}: choose one of ${faults.join(', ')}\n`);
  process.exit(2);
}
const pace = paceOf(values.pace);
// The story that was interrupted may still wait for an answer; nothing of it is needed any more.
process.exit(
  await demo((values.break as Fault | undefined) ?? null, values.ci).catch((error: unknown) => {
    say(`the demo failed: ${error instanceof Error ? error.message : String(error)}`);
    if (process.env['SOAKGATE_DEBUG']) console.error(error);
    else
      say(
        'next: run it again with SOAKGATE_DEBUG=1 and report the output; soakgate doctor names missing parts',
      );
    return INTERNAL;
  }),
);

function readArguments() {
  try {
    return parseArgs({
      options: {
        ci: { type: 'boolean', default: false },
        break: { type: 'string' },
        pace: { type: 'string' },
      },
    }).values;
  } catch (error) {
    process.stderr.write(
      `${(error as Error).message}\nnext: the demo takes --ci, --break ${faults.join('|')} and ` +
        `--pace 7d=60s\n`,
    );
    process.exit(2);
  }
}

function paceOf(text: string | undefined): Pace {
  try {
    return text === undefined ? PACE : readPace(text);
  } catch (error) {
    process.stderr.write(`--pace ${text}: ${(error as Error).message}\n`);
    process.exit(2);
  }
}

async function demo(fault: Fault | null, ci: boolean): Promise<number> {
  const { promise: interrupted, resolve: interrupt } = Promise.withResolvers<'interrupted'>();
  // Each time, not once: the second one would end us in the midst of taking down, and leave the rest running.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => interrupt('interrupted'));
  // Nor may a terminal that was closed end us: it can only no longer be read or written.
  for (const stream of [process.stdin, process.stdout, process.stderr]) stream.on('error', () => undefined);
  // Interrupted while it comes up: it is awaited all the same, so that nothing of it is left.
  const scene = await raiseScene({ ...beforehand(fault), say });
  try {
    const outcome = await Promise.race([interrupted, play(scene, fault, ci, () => interrupt('interrupted'))]);
    return outcome === 'interrupted' ? CANCELLED : outcome;
  } finally {
    say('taking everything down');
    await scene.stop();
  }
}

async function play(scene: Scene, fault: Fault | null, ci: boolean, interrupt: () => void): Promise<number> {
  const connected = await connectClient({ address: scene.server.address, waitMs: 10_000 });
  const { plan, deployment } = await startAsRae(scene, connected);
  const link = scene.server.ui
    ? `${scene.server.ui}/namespaces/default/workflows/${encodeURIComponent(deploymentWorkflowId(deployment))}`
    : null;
  if (link) say(`this deployment: ${link}`);
  // On a terminal the live tree, in a pipe plain lines.
  const screen = process.stdout.isTTY && !ci ? await openScreen(connected, deployment) : null;
  const inject = injector(
    fault,
    scene,
    (text) => void (screen?.leave() ?? Promise.resolve()).then(() => say(text)),
  );
  const answer = answers({ scene, deployment, ci, say, interrupt }, screen);
  const environments = plan.environments.map(({ name }) => name);
  const result = await follow(
    connected,
    deployment,
    plan.service,
    environments,
    screen ? () => undefined : say,
    async (look) => {
      await screen?.draw();
      if (look.rollouts['staging']) await inject(look.rollouts['staging']);
      await answer(look);
    },
  );
  await screen?.leave();
  const { folder: evidence, keys } = await keepEvidence(scene, result.evidence.uri, deployment);
  say(`${result.outcome}: ${result.reason}`);
  say(`evidence: ${evidence}`);
  say(`who vouches for it: soakgate evidence verify ${evidence} --trust ${keys}`);
  await connected.close();
  const facts = {
    deployment,
    outcome: result.outcome,
    environments: result.environments,
    evidence,
    keys,
    ui: link,
    elapsedMs: Date.now() - started,
  };
  if (ci) process.stdout.write(`${JSON.stringify(facts)}\n`);
  return EXIT[result.outcome] ?? INTERNAL;
}

/** rae, who is neither lead nor dba, requests the deployment. */
async function startAsRae(scene: Scene, connected: Connected): Promise<{ plan: Plan; deployment: string }> {
  const planText = await readFile(join(ORDERS, 'releases', 'v2', 'soakgate.yaml'), 'utf8');
  const parsed = parsePlan(planText, 'soakgate.yaml');
  if (!('plan' in parsed)) throw new Error(parsed.complaints.map(renderComplaint).join('\n'));
  const nonce = randomUUID();
  const signed = await signStart({
    planText,
    planFile: 'soakgate.yaml',
    plan: parsed.plan,
    repository: scene.repository,
    person: 'rae',
    key: await readPrivateKey(scene.people.rae.keyFile),
    pace,
    name: `orders-demo-${nonce.slice(0, 4)}`,
    nonce,
    expiresMs: 3_600_000,
  });
  return { plan: parsed.plan, deployment: (await startDeployment(connected, signed, TIMING)).deployment };
}

/**
 * Each question is asked once; a person who has not signed after all is asked again, as long as the story
 * waits for it.
 */
function answers(company: Company, screen: Screen | null): (look: Look) => Promise<void> {
  const answered = new Set<string>();
  const once = async (key: string, act: () => Promise<boolean>) => {
    if (answered.has(key)) return;
    answered.add(key);
    await screen?.leave();
    if (!(await act()) && !company.ci) answered.delete(key);
  };
  return async ({ deployment: story, rollouts }) => {
    for (const [name, { waiting, waitingFor }] of Object.entries(rollouts)) {
      const asked = waiting.find((one) => one.kind === 'decision');
      if (asked?.options.includes('fixed-manually'))
        await once(`decide ${name}`, () => decideRows(company, name));
      // Nobody sits at a terminal in --ci: a question that the story does not expect (a busy machine is slow)
      // is answered, visibly.
      else if (company.ci && asked)
        await once(`${name}: ${waitingFor}`, () =>
          asPerson(company, 'dan', ['decide', company.deployment, name, unattended(asked.options)]),
        );
    }
    const gate = story?.waiting.find((one) => one.kind === 'gate');
    if (gate?.missing.some((one) => one.kind === 'approval'))
      await once('gate', () => openGate(company, 'production', story?.waitingFor ?? ''));
  };
}
