// Stand-ins for the hands: typed activities that do nothing outside, with the real decisions, the real permit
// checks and the real judge.
import { activityInfo, ApplicationFailure, cancellationSignal, heartbeat } from '@temporalio/activity';
import * as decisions from '../../activities/control/decisions.ts';
import type { ControlContext } from '../../activities/control/world.ts';
import { openRollout } from '../../activities/permit/open-rollout.ts';
import { withStatement } from '../../activities/permit/state.ts';
import { sift, verify } from '../../activities/permit/verify.ts';
import type { EnvironmentSettings } from '../../src/io/settings.ts';
import { asFailure } from '../../activities/frame/as-activity.ts';
import type { WorkerContext } from '../../activities/frame/step-context.ts';
import type {
  Comparison,
  ControlActivities,
  EnvironmentActivities,
  AfterwardsResult,
  ObserveActivities,
  ObserveInput,
  StepInput,
  UndoInput,
} from '../../src/core/activities.ts';
import { undoKinds } from '../../src/core/allowed-undos.ts';
import { decide } from '../../src/core/matrix.ts';
import { lineKinds } from '../../src/core/plan/steps/facts.ts';
import type { Receipt, UndoReceipt } from '../../src/core/receipts.ts';
import {
  breaches,
  type ObserveResult,
  type Rules,
  type Sample,
  soakVerdict,
  summarise,
  takeSamples,
} from '../../src/core/soak.ts';
import type { StatedStep } from '../../src/core/statements.ts';
import type { Step, StepKind, StepList } from '../../src/core/step-list.ts';
import type { UndoKind } from '../../src/core/step-list.ts';

/** What differs from a run in which everything passes. `times` counts from 1. */
export interface Script {
  readonly steps?: Readonly<
    Record<string, (times: number, input: StepInput) => Partial<Receipt> | Promise<Partial<Receipt>>>
  >;
  /** By the name of the step that is undone. */
  readonly undos?: Readonly<
    Record<string, (times: number, input: UndoInput) => Partial<UndoReceipt> | Promise<Partial<UndoReceipt>>>
  >;
  readonly mayEnter?: (environment: string) => {
    readonly open: boolean;
    readonly waitMs: number | null;
    readonly why: string;
  };
  /** Called with an environment's settings before it takes a permit: its file may change in that moment. */
  readonly opens?: (settings: EnvironmentSettings) => void;
  readonly compare?: (times: number) => Comparison | Promise<Comparison>;
  /** A reading (`site/failures`) so many milliseconds after the first one; left out, it is healthy. */
  readonly reads?: (
    environment: string,
    metric: string,
    sinceMs: number,
  ) => number | null | undefined | { readonly value: number | null; readonly samples: number };
  /**
   * Whether observation waits here, until it is released or interrupted. Where a test interrupts, it stands:
   * the test server
   * refuses a whole workflow task (ACTIVITY_UNKNOWN) that cancels an activity which has completed meanwhile;
   * a real one does not.
   */
  readonly stands?: (environment: string, sinceMs: number, passed: boolean) => boolean;
  /** Whether observation goes on while people are asked, an hour in some milliseconds; else it stands. */
  readonly goesOn?: boolean;
  /**
   * How a call of an activity fails, by its name and counted from 1: for good, or so that Temporal tries it
   * again until its
   * attempts are used up (an observation, which is tried for ever, twice). Left out, it does not.
   */
  readonly fails?: (activity: string, call: number) => Failing | null | Promise<Failing | null>;
  /** What a look of the post-deployment checks finds; left out, nothing is wrong. */
  readonly looks?: (times: number) => Partial<AfterwardsResult> | Promise<Partial<AfterwardsResult>>;
}

/** `final` with a code says which. */
export type Failing = 'final' | 'retried' | { readonly final: string };

/** One deployment on the stage, as its stand-ins see it. */
export interface Part {
  readonly script: Script;
  /** What was called, in order: `staging migrate`, `staging undo migrate`. */
  readonly calls: string[];
  readonly counts: Map<string, number>;
  /** What each environment's worker would have in its record. */
  readonly stated: (StatedStep & { readonly environment: string })[];
  /** Virtual milliseconds by environment. */
  readonly clocks: Map<string, number>;
  readonly lists: ReadonlyMap<string, StepList>;
  /** Grows with each release of a standing observation. */
  released: number;
  /** Observations that stand now. */
  standing: number;
  /** A standing observation neither beats nor hears that it is cancelled: its worker is gone. */
  deaf: boolean;
  /** Called before each verification: throws, or waits like a worker that is down. */
  breakVerify: ((environment: string) => unknown) | null;
}

const healthy: Readonly<Record<string, number>> = { 'site/failures': 0, 'shop/paid': 0.99 };
/** Histories are recorded: what the stand-ins say has no clock in it. */
const BEGIN = Date.UTC(2026, 0, 5);

export const same: Comparison = {
  equal: true,
  differences: [],
  writtenSince: [],
  summary: 'as it was recorded',
};

const again = (part: Part, call: string): number => {
  part.calls.push(call);
  const times = (part.counts.get(call) ?? 0) + 1;
  part.counts.set(call, times);
  return times;
};

const TRIED_FOR_EVER = ['observe', 'checkAfterwards'];

/** Lets every activity fail where the script says so, before it does anything. */
function thatMayFail<Activities extends object>(
  part: (deployment: string) => Part | undefined,
  activities: Activities,
): Activities {
  const wrap =
    (name: string, act: (input: unknown) => Promise<unknown>) =>
    async (input: unknown): Promise<unknown> => {
      const { attempt, workflowExecution } = activityInfo();
      const here = part(workflowExecution!.workflowId.split('/')[1]!);
      const counted = `calls of ${name}`;
      const call = (here?.counts.get(counted) ?? 0) + (attempt === 1 ? 1 : 0);
      here?.counts.set(counted, call);
      const how = (await here?.script.fails?.(name, call)) ?? null;
      if (how === null || (how === 'retried' && TRIED_FOR_EVER.includes(name) && attempt > 2))
        return act(input);
      const code =
        typeof how === 'object' ? how.final : how === 'final' ? 'STEP_CRASHED' : 'TARGET_UNREACHABLE';
      const message = `${code}: ${name} fails, as the script says`;
      throw how === 'retried'
        ? ApplicationFailure.retryable(message, code)
        : ApplicationFailure.nonRetryable(message, code);
    };
  return Object.fromEntries(
    Object.entries(activities).map(([name, act]) => [name, wrap(name, act as () => Promise<unknown>)]),
  ) as Activities;
}

export function environmentStandIns(
  part: (deployment: string) => Part,
  world: WorkerContext,
): EnvironmentActivities {
  const walked = async (input: StepInput): Promise<Receipt> => {
    const { rollout, step } = input;
    const here = part(rollout.deployment);
    const times = again(here, `${rollout.environment} ${step.name}`);
    const receipt = { ...passing(step), ...(await here.script.steps?.[step.name]?.(times, input)) };
    const { verdict, figures } = receipt;
    const how = figures?.['rehearsed'];
    here.stated.push({
      environment: rollout.environment,
      step: step.name,
      kind: step.kind,
      verdict,
      ...(typeof how === 'string' && { rehearsed: how }),
    });
    return receipt;
  };
  const undone = async (input: UndoInput): Promise<UndoReceipt> => {
    const { rollout, step } = input;
    const here = part(rollout.deployment);
    const { activityType } = activityInfo();
    const own = activityType === step.undo?.undo;
    const times = again(here, `${rollout.environment} ${own ? 'undo' : activityType} ${step.name}`);
    const undo = {
      undo: activityType,
      step: step.name,
      done: true,
      summary: 'put back',
      differences: [],
      tookMs: 1,
    };
    return { ...undo, ...(await here.script.undos?.[own ? step.name : activityType]?.(times, input)) };
  };
  return thatMayFail(part, {
    ...(Object.fromEntries(lineKinds.map((kind) => [kind, walked])) as Record<StepKind, typeof walked>),
    ...(Object.fromEntries(undoKinds.map((kind) => [kind, undone])) as Record<UndoKind, typeof undone>),
    openRollout: async (input) => {
      again(part(input.rollout.deployment), `${input.rollout.environment} openRollout`);
      part(input.rollout.deployment).script.opens?.(world.settings);
      const receipt = await openRollout(world, input).catch((error: unknown) => {
        throw asFailure(error);
      });
      return { ...receipt, startedAt: new Date(BEGIN).toISOString(), tookMs: 1 };
    },
    verify: async (input) => {
      await part(input.deployment).breakVerify?.(input.environment);
      return verify(world, input);
    },
    sift: (input) => sift(world, input),
    compareRollback: async ({ rollout }) => {
      const here = part(rollout.deployment);
      const times = again(here, `${rollout.environment} compare`);
      return here.script.compare?.(times) ?? same;
    },
    countNewer: async ({ rollout }) => {
      again(part(rollout.deployment), `${rollout.environment} count newer`);
      return {
        rows: 3,
        tables: [{ table: 'public.orders', rows: 3 }],
        summary: '3 rows written since the backup (public.orders 3)',
      };
    },
    beforeDeploying: async (input) => {
      again(part(input.deployment), `${world.settings.environment} before deploying`);
      return (
        part(input.deployment).script.mayEnter?.(world.settings.environment) ?? {
          open: true,
          waitMs: 0,
          why: '',
        }
      );
    },
    forwardFix: async ({ rollout, step, fallback }) => {
      const here = part(rollout.deployment);
      const times = again(here, `${rollout.environment} forward ${fallback}`);
      return {
        ...passing(step),
        step: `${step.name}: ${fallback}`,
        kind: 'forwardFix',
        ...(await here.script.steps?.[`forward ${fallback}`]?.(times, { rollout, step })),
      };
    },
    closeRollout: async ({ rollout, outcome }) => {
      again(part(rollout.deployment), `${rollout.environment} closed: ${outcome}`);
      await world.permitStore.close(rollout, outcome);
      return null;
    },
  });
}

const rehearsed = { rehearsed: 'up-down-up' };
const passing = (step: Step): Receipt => ({
  step: step.name,
  kind: step.kind,
  verdict: 'pass',
  summary: `${step.kind} passed`,
  ...(step.kind === 'preview' && { figures: rehearsed }),
  startedAt: new Date(BEGIN).toISOString(),
  tookMs: 1,
});

export function controlStandIns(
  part: (deployment: string) => Part,
  world: ControlContext,
): ControlActivities {
  return thatMayFail(part, {
    decide: decisions.decide,
    judgeFallback: decisions.judgeFallback,
    planForward: decisions.planForward,
    planRollback: decisions.planRollback,
    judgeRollback: decisions.judgeRollback,
    judgeGate: decisions.judgeGate,
    sealGateReport: (question) => decisions.sealGateReport(world, question),
    closeEvidence: async ({ deployment, outcome, environments }) => {
      const here = part(deployment);
      again(
        here,
        `evidence: ${outcome}, ` +
          `${environments.map(({ environment, outcome }) => `${environment} ${outcome}`).join(', ')}`,
      );
      return { uri: 'evidence', manifest: 'manifest', files: 1 };
    },
  });
}

/** The real judge over recorded metrics, on a clock of its own that each environment of a deployment has. */
export function observeStandIns(
  part: (deployment: string) => Part,
  world: WorkerContext,
  sleep?: (ms: number) => Promise<void>,
): ObserveActivities {
  return thatMayFail(part, {
    observe: async (input) => {
      const { deployment, environment } = input.rollout;
      const here = part(deployment);
      again(here, `${environment} observe`);
      const begin = here.clocks.get(environment) ?? BEGIN;
      const result = await observe(here, input, begin);
      // Real time on the server passes with it where a test asks for it.
      const now = here.clocks.get(environment) ?? begin;
      await sleep?.(now - begin);
      return stated(here, world, input, result, now);
    },
    checkAfterwards: async ({ rollout, number, before }) => {
      const here = part(rollout.deployment);
      const times = again(here, `${rollout.environment} checkAfterwards`);
      const read: AfterwardsResult = {
        is: 'read',
        why: '',
        at: new Date(BEGIN).toISOString(),
        metrics: [`number: ${number}`],
        troubles: [],
        memory: before,
      };
      return { ...read, ...(await here.script.looks?.(times)) };
    },
  });
}

/** The worker's real signature under what its record would say. */
async function stated(
  part: Part,
  world: WorkerContext,
  { rollout }: ObserveInput,
  result: ObserveResult,
  at: number,
): Promise<ObserveResult> {
  const kept = (await world.permitStore.rollout(rollout))!;
  const steps = part.stated.filter(({ environment }) => environment === rollout.environment);
  const observation = { state: result.state, at };
  const record = { ...world.record, stated: async () => ({ steps, observation }) };
  return withStatement({ ...world, record }, kept, result);
}

async function observe(part: Part, input: ObserveInput, begin: number): Promise<ObserveResult> {
  const { environment } = input.rollout;
  const list = part.lists.get(environment)!;
  const rules: Rules = {
    observation: list.environment[input.phase]!,
    monitors: list.monitors,
    dayMs: list.dayMs,
  };
  const { everyMs } = rules.observation;
  let state = input.state;
  let metrics = 0;
  for (let now = begin; ; now += everyMs) {
    part.clocks.set(environment, now);
    const sinceMs = now - (state.startedAt ?? now);
    const samples = samplesAt(part, rules, environment, now, sinceMs);
    state = takeSamples(rules, state, samples);
    metrics += samples.length;
    const found = breaches(rules, state, now).filter((breach) => decide(list, breach).do !== 'continue');
    const verdict = found.length > 0 || input.asking ? null : soakVerdict(rules, state, now);
    const interrupted = () => cancellationSignal().aborted;
    if (input.asking && found.length === 0)
      await (part.script.goesOn ? aMoment() : untilReleased(part, interrupted));
    if (found.length === 0 && !verdict && part.script.stands?.(environment, sinceMs, state.passed))
      await untilReleased(part, interrupted);
    if (found.length > 0 || verdict || interrupted() || now + everyMs > begin + input.sliceMs) {
      part.clocks.set(environment, now + everyMs);
      return { state, breaches: found, metrics, summary: summarise(state), verdict };
    }
  }
}

function samplesAt(
  part: Part,
  rules: Rules,
  environment: string,
  at: number,
  sinceMs: number,
): readonly Sample[] {
  return Object.entries(rules.monitors).flatMap(([monitor, { metrics }]) =>
    Object.keys(metrics).map((metric) => {
      const id = `${monitor}/${metric}`;
      const value = part.script.reads?.(environment, id, sinceMs);
      if (typeof value === 'object' && value !== null) return { monitor, metric, at, ...value };
      return { monitor, metric, at, value: value === undefined ? healthy[id]! : value };
    }),
  );
}

const aMoment = () => new Promise((resolve) => setTimeout(resolve, 5));

async function untilReleased(part: Part, interrupted: () => boolean): Promise<void> {
  const seen = part.released;
  part.standing += 1;
  while (part.deaf || (part.released === seen && !interrupted())) {
    if (!part.deaf) heartbeat();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  part.standing -= 1;
}
