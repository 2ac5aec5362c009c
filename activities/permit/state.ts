// What this worker states of a rollout, signed with its own key: that the soak has passed, and that it is closed.
import type { ObserveResult, SoakState } from '../../src/core/soak.ts';
import {
  type ClosingStatement,
  type SignedStatement,
  type SoakStatement,
  type StatedSoak,
  type StatementBound,
} from '../../src/core/statements.ts';
import type { PermittedRollout } from '../../src/io/permit-store.ts';
import { signStatement } from '../../src/io/trust.ts';
import { evidenceFolder, slug } from '../frame/artifact-paths.ts';
import type { WorkerContext } from '../frame/step-context.ts';

/** What a slice has found, with this worker's statement where the soak has passed. */
export async function withStatement(
  world: WorkerContext,
  kept: PermittedRollout,
  result: ObserveResult,
): Promise<ObserveResult> {
  if (result.verdict !== 'passed') return result;
  const { steps, observation } = await world.record.stated(kept);
  const { state, at } = observation ?? { state: result.state, at: Date.now() };
  const statement = signStatement<SoakStatement>(world.workerKey, {
    ...boundOf(kept),
    says: 'soak-passed',
    steps,
    soak: statedSoak(state, at),
  });
  await keep(world, kept, 'soak-passed', statement);
  return { ...result, statement };
}

/** The soak of a state that has passed at `endedAt`. */
function statedSoak(state: SoakState, endedAt: number): StatedSoak {
  const startedAt = state.startedAt ?? endedAt;
  const metrics = Object.values(state.metrics);
  const sum = (of: 'read' | 'missing') => metrics.reduce((total, metric) => total + metric[of], 0);
  return {
    startedAt,
    endedAt,
    observedMs: Math.max(0, endedAt - startedAt - state.addedMs),
    samples: sum('read'),
    missed: sum('missing'),
    gaps: state.missedGaps,
    gapsMs: state.addedMs,
    extendedMs: state.extendedMs,
    cleanSince: state.cleanSince,
  };
}

const CLOSING_NOTE = 'closing.json';

/** Closes the rollout and states it, once: whoever asks again gets the same. */
export async function closeAndState(
  world: WorkerContext,
  kept: PermittedRollout,
  outcome: string,
): Promise<SignedStatement<ClosingStatement>> {
  const { observation } = await world.record.stated(kept);
  const statement = signStatement<ClosingStatement>(world.workerKey, {
    ...boundOf(kept),
    says: 'closed',
    outcome,
    judgedAt: observation ? new Date(observation.at).toISOString() : null,
  });
  const text = await world.permitStore.noteOnce(kept.rollout, CLOSING_NOTE, JSON.stringify(statement));
  const stated = JSON.parse(text) as SignedStatement<ClosingStatement>;
  // Whoever reads it may rely on it: closed first.
  await world.permitStore.close(kept.rollout, stated.body.outcome);
  await keep(world, kept, 'closed', stated);
  return stated;
}

/** What was stated when the rollout was closed; null where it never was. */
export async function statedClosing(
  { permitStore }: WorkerContext,
  { rollout }: PermittedRollout,
): Promise<SignedStatement<ClosingStatement> | null> {
  const text = await permitStore.note(rollout, CLOSING_NOTE);
  return text === undefined ? null : (JSON.parse(text) as SignedStatement<ClosingStatement>);
}

const boundOf = ({ rollout, permit, list }: PermittedRollout): StatementBound => ({
  deployment: rollout.deployment,
  environment: rollout.environment,
  plan: permit.start?.body.plan ?? '',
  list: rollout.list,
  commit: list.commit,
  at: new Date().toISOString(),
});

/** Into the evidence, too. */
async function keep(
  { artifacts }: WorkerContext,
  { rollout }: PermittedRollout,
  says: string,
  statement: SignedStatement<StatementBound>,
): Promise<void> {
  const folder = `${evidenceFolder(rollout.deployment)}/statements`;
  await artifacts.put(
    `${folder}/${slug(rollout.environment)}-${says}.json`,
    JSON.stringify(statement, null, 1),
  );
}
