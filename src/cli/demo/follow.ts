// Follows a deployment and tells each change once, as plain lines; a terminal gets the same lines with times.
import type { Connected } from '../../client/connection.ts';
import { deploymentWorkflowId, rolloutWorkflowId } from '../../core/ids.ts';
import type { DeploymentResult } from '../../../workflows/contract.ts';
import type { Progress } from '../../../workflows/progress.ts';
import { type ShownProgress, shownProgress } from '../../client/shown-progress.ts';

export interface Look {
  readonly deployment: ShownProgress | null;
  readonly rollouts: Readonly<Record<string, ShownProgress>>;
}

const LOOK_MS = 250;
/** How often the metrics of a soak are told. */
const SOAK_MS = 20_000;
const soakTold = new Map<string, number>();
const marks: Readonly<Record<string, string>> = {
  pass: '✓',
  fail: '✗',
  error: '!',
  inconclusive: '?',
  running: '▶',
  undone: '↩',
  'not undone': '✗',
};

/** Looks until the deployment has ended; `each` is called with every look, one at a time. */
export async function follow(
  { client }: Connected,
  deployment: string,
  service: string,
  environments: readonly string[],
  say: (text: string) => void,
  each: (look: Look) => Promise<void>,
): Promise<DeploymentResult> {
  const handle = client.workflow.getHandle(deploymentWorkflowId(deployment));
  let ended: { result: DeploymentResult } | { error: unknown } | undefined;
  void handle.result().then(
    (result) => (ended = { result: result as DeploymentResult }),
    (error: unknown) => (ended = { error }),
  );
  const told = new Set<string>();
  while (!ended) {
    const look = await lookAt(client, deployment, service, environments);
    tell(look, told, say);
    await each(look);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  tell(await lookAt(client, deployment, service, environments), told, say);
  if ('error' in ended) throw ended.error;
  return ended.result;
}

async function lookAt(
  client: Connected['client'],
  deployment: string,
  service: string,
  environments: readonly string[],
): Promise<Look> {
  const ask = (workflowId: string) =>
    client.workflow
      .getHandle(workflowId)
      .query<Progress>('progress')
      .then(shownProgress)
      .catch(() => null);
  const rollouts = await Promise.all(
    environments.map(
      async (environment) => [environment, await ask(rolloutWorkflowId(service, environment))] as const,
    ),
  );
  return {
    deployment: await ask(deploymentWorkflowId(deployment)),
    rollouts: Object.fromEntries(
      rollouts.flatMap(([name, progress]) => (progress ? [[name, progress]] : [])),
    ),
  };
}

function tell({ deployment, rollouts }: Look, told: Set<string>, say: (text: string) => void): void {
  const once = (key: string, text: string) => {
    if (told.has(key)) return;
    told.add(key);
    say(text);
  };
  for (const [environment, progress] of Object.entries(rollouts)) {
    for (const [index, line] of progress.lines.entries()) {
      if (line.state === 'waiting' || line.state === 'running') continue;
      const took = line.tookMs === null ? '' : `${(line.tookMs / 1000).toFixed(1)} s`;
      once(
        `${environment}/${index}/${line.state}/${line.summary}`,
        `${environment.padEnd(10)} ${marks[line.state] ?? '·'} ${line.state.padEnd(5)} ` +
          `${line.name.padEnd(16)} ${took.padStart(7)}  ${line.summary}`,
      );
    }
    if (
      Date.now() - (soakTold.get(environment) ?? 0) > SOAK_MS &&
      ['soak', 'watch'].includes(progress.phase)
    ) {
      soakTold.set(environment, Date.now());
      for (const metric of progress.metrics) say(`${environment.padEnd(10)}   ${metric}`);
    }
    for (const note of progress.notes)
      once(`${environment}/note/${note}`, `${environment.padEnd(10)}   ${note}`);
    once(`${environment}/phase/${progress.phase}`, `${environment.padEnd(10)} ${progress.phase}`);
    // The deployment hears of a question a moment later than it can be answered here; it says the same of it.
    const asked = progress.waiting.find(({ kind }) => kind === 'decision');
    if (asked?.kind === 'decision') {
      const text = `${environment}: a decision (${asked.options.join(' | ')})`;
      once(`waiting/${text}`, `waiting for ${text}`);
    }
  }
  if (deployment?.waitingFor)
    once(`waiting/${deployment.waitingFor}`, `waiting for ${deployment.waitingFor}`);
}
