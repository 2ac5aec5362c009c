// The status of a deployment as text: environments, their steps with times, what it waits for, and what to
// type next.
import { count } from '../../core/count.ts';
import { holderText, releasingCommand } from '../../client/holder.ts';
import type { DeploymentStatus, EnvironmentStatus } from '../../client/status.ts';
import type { Progress, StepState } from '../../../workflows/progress.ts';
import { droppedText, malformedText, refusalText } from '../../core/waiting.ts';
import { exitOfStatus, goesOn } from '../exit-codes.ts';
import { type Paint, visible } from '../terminal.ts';
import { type Cell, cut, table } from './table.ts';
import { at, stateCell, took } from './words.ts';

export interface View {
  readonly paint: Paint;
  /** A live view leaves out what is finished and is cut to the screen. */
  readonly size?: { readonly columns: number; readonly rows: number };
}

const NOTES = 6;

export function renderStatus(status: DeploymentStatus, view: View): readonly string[] {
  const columns = view.size?.columns ?? Number.POSITIVE_INFINITY;
  const paintCut: Paint = (tone, text) => view.paint(tone, cut(text, columns));
  const above = head(status, paintCut, columns);
  const below = [...afterwards(status), ...notes(status)].map((line) => cut(line, columns));
  const linesWith = (folded: number) => {
    const rows = status.environments.flatMap((environment) =>
      environmentRows(status, environment, view.size && { folded }),
    );
    return [...above, '', ...table(rows, view.paint, columns), ...below];
  };
  const lines = linesWith(0);
  if (!view.size) return lines;
  const room = Math.max(view.size.rows - 1, 3);
  // What has passed makes room for what goes on, and one line says how much that was.
  return (lines.length > room ? linesWith(lines.length - room + 1) : lines).slice(0, room);
}

function head(status: DeploymentStatus, paint: Paint, columns: number): readonly string[] {
  const { deployment, requester, commit, pace, startedAt, closedAt } = status;
  const { waiting, next } = whatNext(status);
  const about =
    `commit ${commit.slice(0, 12)}, requested by ${visible(requester)}, started ` +
    `${at(startedAt)}${closedAt ? `, ended ${at(closedAt)}` : ''}`;
  return [
    paint('strong', `${deployment}: ${stateText(status)}`),
    cut(visible(status.summary), columns),
    cut(about, columns),
    ...(pace ? [`compressed: ${took(pace.nominalMs)} of the plan pass in ${took(pace.realMs)}`] : []),
    ...(waiting ? [paint('warn', `waiting for: ${visible(waiting)}`)] : []),
    ...(next ? [paint('strong', `next: ${visible(next)}`)] : []),
    ...histories(status).map((line) => paint('warn', line)),
  ];
}

/** What Temporal bounds: whose history is nearly full, or was. */
const histories = ({ deployment, history, environments }: DeploymentStatus): readonly string[] => [
  ...(history === null ? [] : [`${deployment}: ${history}`]),
  ...environments.flatMap((one) => (one.history === null ? [] : [`${one.environment}: ${one.history}`])),
];

/** The outcome, or the phase and its health. */
export function stateText(status: DeploymentStatus): string {
  if (status.result) return `${status.result.outcome}: ${visible(status.result.reason)}`;
  if (status.state !== 'running')
    return `${status.state} in Temporal${goesOn(status) ? '; its rollouts are cancelled and undo what they did' : ''}`;
  return status.progress
    ? `${visible(status.progress.phase)}, ${visible(status.progress.health)}`
    : 'running';
}

/** The waiting reason of the deployment or of the rollout under way, and the command to type. */
export function whatNext(status: DeploymentStatus): {
  readonly waiting: string | null;
  readonly next: string | null;
} {
  const { deployment, state, environments } = status;
  const lost = environments.find((environment) => environment.lost);
  if (lost) {
    const how = lost.state === 'failed' ? 'has failed' : 'was terminated';
    return {
      waiting: `a rollout ${how} in Temporal; its changes were NOT rolled back`,
      next: `soakgate recover ${deployment} --as YOU`,
    };
  }
  const held = heldPlaces(status)[0];
  if (!goesOn(status) && held) return { waiting: held.text, next: held.command };
  if (!goesOn(status))
    return { waiting: null, next: exitOfStatus(status) === 0 ? `soakgate evidence ${deployment}` : null };
  if (state === 'running' && !status.progress)
    return {
      waiting: 'no control worker answers; this is only what the Temporal server knows',
      next: 'soakgate worker control --help',
    };
  const open = environments.map(({ progress }) => progress).find((progress) => progress?.next);
  const source = open ?? status.progress;
  const waiting =
    source?.waitingFor ?? environments.map(({ progress }) => progress?.waitingFor).find(Boolean) ?? null;
  return { waiting, next: whole(source?.next ?? null, status) };
}

/** Environments that another run keeps this deployment out of, and what frees each. */
const heldPlaces = ({ environments, service }: DeploymentStatus) =>
  environments.flatMap(({ environment, heldBy }) =>
    heldBy
      ? [
          {
            text: holderText(heldBy, environment),
            command: releasingCommand(heldBy, service, environment),
          },
        ]
      : [],
  );

/** Says who signs; whoever reads this need not be told to look at it. */
function whole(next: string | null, { deployment }: DeploymentStatus): string | null {
  return next === null || next === `soakgate status ${deployment}` ? null : `${next} --as YOU`;
}

function environmentRows(
  status: DeploymentStatus,
  environment: EnvironmentStatus,
  live: { readonly folded: number } | undefined,
): readonly (readonly Cell[])[] {
  const { progress, result, state } = environment;
  const own = status.progress?.lines.find((line) => line.name === environment.environment);
  // The line of a deployment that was ended itself stands still; its rollout may have ended since.
  const shown =
    state === 'running' || state === 'none' ? (own?.state ?? stateOf(environment)) : stateOf(environment);
  const going = own?.summary || (state === 'running' && progress?.phase) || '';
  const ended = result ? `${result.outcome}: ${result.reason}` : `${state} in Temporal`;
  const summary = result || (state !== 'none' && state !== 'running') ? ended : going;
  const spent =
    environment.startedAt && environment.closedAt
      ? took(Date.parse(environment.closedAt) - Date.parse(environment.startedAt))
      : '';
  const first: readonly Cell[] = [
    stateCell(shown),
    { text: environment.environment, tone: 'strong' },
    spent,
    visible(summary),
  ];
  if (!progress || (live && state !== 'running')) return [first];
  const begun = progress.lines.findIndex((line) => line.state !== 'pass');
  const folded = Math.min(live?.folded ?? 0, begun < 0 ? progress.lines.length : begun);
  const rest = folded > 1 ? progress.lines.slice(folded) : progress.lines;
  const passed: readonly (readonly Cell[])[] =
    folded > 1 ? [[stateCell('pass', '  '), `${count(folded, 'step')}`]] : [];
  return [
    first,
    ...passed,
    ...rest.map((line) => [stateCell(line.state, '  '), line.name, took(line.tookMs), visible(line.summary)]),
  ];
}

function stateOf({ state, result }: EnvironmentStatus): StepState {
  if (state === 'none') return 'waiting';
  if (state === 'running') return 'running';
  return result?.outcome === 'passed' ? 'pass' : result?.outcome === 'restored' ? 'undone' : 'fail';
}

/** What goes on when all is over, and what was found last. */
function afterwards({ deployment, environments }: DeploymentStatus): readonly string[] {
  return environments.flatMap(({ environment, afterwards }) => {
    if (!afterwards) return [];
    const ended = afterwards.result === null ? `${afterwards.state} in Temporal` : visible(afterwards.result);
    const told = afterwards.progress?.notes ?? [];
    const metrics = afterwards.progress?.metrics ?? [];
    const next =
      afterwards.state === 'running'
        ? [`  next: soakgate stop-checks ${deployment} ${environment} --as YOU`]
        : [];
    return [
      '',
      `post-deployment checks in ${environment}: ` +
        `${afterwards.state === 'running' ? (afterwards.progress ? visible(afterwards.progress.health) : 'no worker answers') : ended}`,
      ...[...told.slice(-NOTES), ...metrics].map((line) => `  ${visible(line)}`),
      ...next,
    ];
  });
}

/** What happened, what did not count, and what nobody could read. */
const noteLines = ({ notes, refusals, malformed, dropped = 0 }: Progress): readonly string[] => [
  ...notes,
  ...refusals.map(refusalText),
  ...(malformed > 0 ? [malformedText(malformed)] : []),
  ...(dropped > 0 ? [droppedText(dropped)] : []),
];

/** Metrics of an open soak, then the last notes of everybody. */
function notes(status: DeploymentStatus): readonly string[] {
  const of = (lines: (progress: Progress) => readonly string[]) =>
    status.environments.flatMap(({ environment, progress }) =>
      (progress ? lines(progress) : []).map((line) => `${environment}: ${visible(line)}`),
    );
  const metrics = of((progress) => progress.metrics);
  const others = [
    ...heldPlaces(status).map(({ text, command }) => visible(`${text}: ${command}`)),
    ...of(noteLines),
    ...(status.progress ? noteLines(status.progress) : []).map(visible),
  ].slice(-NOTES);
  return [
    ...(metrics.length > 0 ? ['', 'metrics:', ...metrics.map((line) => `  ${line}`)] : []),
    ...(others.length > 0 ? ['', 'notes:', ...others.map((line) => `  ${line}`)] : []),
  ];
}
