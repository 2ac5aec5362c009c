// What an environment demands at least, and whether a compiled list meets it. The guardrails lie with the
// environment's keys; a plan may be stricter, never looser (rule 8).
import { DAY_MS } from './pace.ts';
import { migrators } from './plan/migrators/index.ts';
import { programsRead } from './plan/monitors/facts.ts';
import { restarters } from './plan/restarters/index.ts';
import { programsOfLine } from './plan/steps/facts.ts';
import type { Argv } from './plan/values.ts';
import { isAllowed } from './programs.ts';
import type { Quorum } from './quorum.ts';
import type { StepList } from './step-list.ts';

export interface Guardrails {
  readonly start: Quorum;
  readonly approve: Quorum;
  readonly rollback: Quorum;
  readonly decide: Quorum;
  readonly operate: Quorum;
  /** Least nominal length of soak or watch, in milliseconds. */
  readonly soakMs?: number;
  /** Least length of the window, and least notice before it, in milliseconds. */
  readonly windowMs?: number;
  readonly noticeMs?: number;
  /** How long from now an approval or attestation may be valid, in milliseconds. */
  readonly longestApprovalMs?: number;
  readonly pace: 'refused' | 'allowed';
  readonly programs: readonly string[];
  /** Folders in which a plan may name pid files, flag files and logs, beside the service's own. */
  readonly files?: readonly string[];
}

/** Every way in which the list is looser than the guardrails; empty when it is not. */
export function guardrailComplaints(list: StepList, guardrails: Guardrails): readonly string[] {
  const complaints: string[] = [];
  if (list.pace && guardrails.pace === 'refused')
    complaints.push(`pace: this environment refuses a compressed run (--pace)`);
  const nominal = list.observedMs;
  if (guardrails.soakMs !== undefined && nominal < guardrails.soakMs) {
    complaints.push(
      `soak: the plan observes ${hours(nominal)}, this environment demands at least ` +
        `${hours(guardrails.soakMs)}`,
    );
  }
  complaints.push(...approvalComplaints(list, guardrails), ...windowComplaints(list, guardrails));
  const allowed = guardrails.programs;
  for (const { place, program, bare } of programsOf(list)) {
    if (!isAllowed(program, bare ? [] : list.commands.path, allowed))
      complaints.push(
        `programs: ${place} runs ${program}, which this environment does not allow (allowed: ` +
          `${allowed.join(', ') || 'none'})${program.includes('/') ? '; a path is allowed as it is written' : ''}`,
      );
  }
  return complaints;
}

/** Nobody is asked for an approval that the plan's gate does not name. */
function approvalComplaints(
  { environment: { name }, gate }: StepList,
  { approve }: Pick<Guardrails, 'approve'>,
): readonly string[] {
  const asked = gate?.approved?.roles ?? [];
  const wanted = 'each' in approve ? approve.each : approve.any;
  const met =
    'each' in approve
      ? wanted.every((role) => asked.includes(role))
      : wanted.some((role) => asked.includes(role));
  return met || wanted.length === 0
    ? []
    : [
        `approve: this environment demands approval by ${wanted.join('each' in approve ? ' and ' : ' or ')}, and the ` +
          `plan's gate asks ${asked.join(', ') || 'nobody'}; write gate: ${name}: approved: { roles: [${[
            ...new Set([...asked, ...('each' in approve ? wanted : wanted.slice(0, 1))]),
          ].join(', ')}] }`,
      ];
}

/** What is demanded counts only when the gate asks for it at entry. */
function windowComplaints(
  { environment: { window }, gate, pace }: StepList,
  { windowMs, noticeMs }: Guardrails,
): readonly string[] {
  const asked = (fact: 'window-open' | 'notice-given') =>
    gate?.beforeDeploying.includes(fact) ? window : undefined;
  // A compressed run divides the notice, not what the plan says.
  const nominal = (ms: number) => (pace ? (ms * pace.nominalMs) / pace.realMs : ms);
  const [length, notice] = [
    asked('window-open')?.lengthMs ?? 0,
    nominal(asked('notice-given')?.noticeMs ?? 0),
  ];
  return [
    ...(windowMs !== undefined && length < windowMs
      ? [
          `window: the plan has a window of ${hours(length)}, this environment demands at least ` +
            `${hours(windowMs)} (gate: before-deploying: [window-open])`,
        ]
      : []),
    ...(noticeMs !== undefined && notice < noticeMs
      ? [
          `notice: the plan gives ${hours(notice)} of notice, this environment demands at least ` +
            `${hours(noticeMs)} (gate: before-deploying: [notice-given])`,
        ]
      : []),
  ];
}

interface ProgramRun {
  readonly place: string;
  readonly program: string;
  /** Looked up on the worker's own search path only. */
  readonly bare?: true;
}

function* programsOf(list: StepList): Generator<ProgramRun> {
  for (const argv of list.release.install)
    yield { place: 'release.install', program: argv[0] ?? '', bare: true };
  for (const step of list.steps) {
    for (const argv of programsOfLine(step)) yield { place: `step ${step.name}`, program: argv[0] ?? '' };
  }
  for (const [name, monitor] of Object.entries(list.monitors)) {
    for (const argv of programsRead(monitor.read)) yield { place: `monitor ${name}`, program: argv[0] ?? '' };
  }
  if (list.migrations)
    for (const argv of programsOfTool(migrators, list.migrations))
      yield { place: 'migrations', program: argv[0] ?? '' };
  for (const service of list.environment.services) {
    for (const argv of programsOfTool(restarters, service))
      yield { place: `service ${service.name}`, program: argv[0] ?? '', bare: true };
  }
}

/** The programs that a tool's options name. */
function programsOfTool(
  family: Readonly<
    Record<string, { readonly key: string; readonly programs: (options: never) => readonly Argv[] }>
  >,
  { tool, options }: { readonly tool: string; readonly options: object },
): readonly Argv[] {
  const found = Object.values(family).find(({ key }) => key === tool);
  return found?.programs(options as never) ?? [];
}

const hours = (ms: number): string =>
  ms >= DAY_MS ? `${+(ms / DAY_MS).toFixed(2)} d` : `${+(ms / 3_600_000).toFixed(2)} h`;
