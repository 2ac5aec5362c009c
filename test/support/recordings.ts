// The runs whose histories are recorded, and what of a history is kept.
import { afterwardsWorkflowId } from '../../src/core/ids.ts';
import { interference } from './plays/interference.ts';
import { outcomes } from './plays/outcomes.ts';
import type { Play, Plays, Whose } from './plays/play.ts';
import { soaks } from './plays/soaks.ts';
import { waysBack } from './plays/ways-back.ts';
import { controlStandIns, environmentStandIns, observeStandIns } from './stand-ins.ts';
import type { Run, Theatre } from './theatre.ts';

/** Every run that is recorded. */
export const plays: Plays = { ...outcomes, ...soaks, ...waysBack, ...interference };

/** The names of the files of a run. */
export const filesOf = (name: string, { of = ['deployment', 'rollout'] }: Play): readonly string[] =>
  of.map((whose) => `${name}.${whose}.json`);

const nobody = (): never => {
  throw new Error('these stand-ins are never called');
};
/** Every type of activity; the types of the stand-ins make them whole. */
export const activityTypes: readonly string[] = [
  environmentStandIns(nobody, undefined as never),
  controlStandIns(nobody, undefined as never),
  observeStandIns(nobody, undefined as never),
].flatMap((activities) => Object.keys(activities));

/** Plays one run and gives its histories: file name → JSON, one event a line. */
export async function record(theatre: Theatre, name: string): Promise<Readonly<Record<string, string>>> {
  const play = plays[name]!;
  const run = await play.play(theatre, name);
  const texts: Record<string, string> = {};
  for (const file of filesOf(name, play)) {
    const whose = file.split('.')[1] as Whose;
    const history = await theatre.env.client.workflow.getHandle(idOf(run, whose)).fetchHistory();
    const { events } = JSON.parse(JSON.stringify(history)) as { events: readonly unknown[] };
    const kept = events.map((event) => JSON.stringify(withoutRest(event)));
    texts[file] = `{"events":[\n${kept.join(',\n')}\n]}\n`;
  }
  return texts;
}

function idOf(run: Run, whose: Whose): string {
  if (whose === 'deployment') return run.workflowId;
  if (whose === 'afterwards') return afterwardsWorkflowId(run.name, 'staging');
  return run.rolloutId(whose === 'rollout' ? 'staging' : whose);
}

/**
 * What a workflow hands to others: a replay compares what it asks for and in which order, never with which
 * words.
 */
const HANDED = [
  'activityTaskScheduledEventAttributes',
  'signalExternalWorkflowExecutionInitiatedEventAttributes',
  'startChildWorkflowExecutionInitiatedEventAttributes',
];

/** Neither the machine nor the moment of the recording is of use to a replay. */
const DROPPED = [
  'workerVersion',
  'requestId',
  'meteringMetadata',
  'taskId',
  'header',
  'stackTrace',
  'userMetadata',
];

/** Nothing of the machine on which it was recorded is committed, nor what no replay reads. */
function withoutRest(value: unknown, of = ''): unknown {
  if (Array.isArray(value)) return value.map((member) => withoutRest(member));
  if (typeof value !== 'object' || value === null) return value;
  const sticky = 'normalName' in value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, member]) => member !== null && !DROPPED.includes(key))
      .filter(([key]) => !(key === 'input' && HANDED.includes(of)))
      .map(([key, member]) => [
        key,
        key === 'identity' || (sticky && key === 'name') ? 'worker' : withoutRest(member, key),
      ]),
  );
}
