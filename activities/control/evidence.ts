// Evidence: written as it happens by every worker, closed here with histories, delta, SUMMARY and the signed
// manifest.
import { dirname } from 'node:path';
import type { CloseEvidenceInput } from '../../src/core/activities.ts';
import {
  type Manifest,
  MANIFEST,
  manifestText,
  type SealedEvidence,
  type Sealer,
} from '../../src/core/evidence.ts';
import { type Delta, deltaOf, deltaText, type PlaceRecord } from '../../src/core/evidence-delta.ts';
import { measureClaims } from '../../src/core/claims.ts';
import { summaryText } from '../../src/core/evidence-summary.ts';
import { signedText } from '../../src/core/messages.ts';
import { parsePlan } from '../../src/core/plan/parse.ts';
import type { Plan } from '../../src/core/plan/plan.ts';
import { hashEvidence, oddInEvidence } from '../../src/io/evidence.ts';
import { redact, redactJson } from '../../src/io/redact.ts';
import { hashJson, signText } from '../../src/io/trust.ts';
import { evidenceFolder, pathPart, startRecord } from '../frame/artifact-paths.ts';
import { historyOf } from './histories.ts';
import { sortDecided } from './decided.ts';
import { readPlace } from './records.ts';
import { sealer } from './sealed-before.ts';
import type { ControlContext } from './world.ts';

/** Writes what is only known at the end, then hashes every file and signs the list of hashes. */
export async function closeEvidence(
  world: ControlContext,
  input: CloseEvidenceInput,
): Promise<SealedEvidence> {
  const folder = evidenceFolder(input.deployment);
  const manifestPath = await world.artifacts.path(`${folder}/${MANIFEST}`);
  const by = await sealer(input.deployment, manifestPath);
  // A package that is being closed anew is not a closed one.
  await world.artifacts.remove(`${folder}/${MANIFEST}`);
  const put = (path: string, content: string) => world.artifacts.put(`${folder}/${path}`, content);
  const json = (path: string, value: unknown) => put(path, JSON.stringify(redactJson(value), null, 1));
  // Signed texts stay as they were signed.
  await put('plan.yaml', input.start.body.planText);
  await put('approvals/start.json', startRecord(input.start));
  for (const { environment, receipts, undos } of input.environments)
    await json(`logs/${pathPart(environment)}/receipts.json`, { receipts, undos });
  const decided = await sortDecided(world, input, dirname(manifestPath));
  const histories = await recordHistories(input, put);
  const odd = await oddInEvidence(dirname(manifestPath));
  const troubles = [
    ...decided.troubles,
    ...histories,
    ...odd.map((name) => `${JSON.stringify(name)} is not a regular file, and is not sealed.`),
  ];
  const { records, deltas } = await recordDelta(input, dirname(manifestPath), put);
  const plan = planOf(input);
  const claims = plan ? measureClaims(plan, input.environments, Date.parse) : [];
  await put(
    'SUMMARY.md',
    redact(
      summaryText({
        closing: input,
        plan,
        claims,
        deltas,
        records,
        decided: decided.counted,
        refused: decided.refused,
        troubles,
      }),
    ),
  );
  return seal(world, input, manifestPath, by);
}

type Put = (path: string, content: string) => Promise<unknown>;

/** What has changed in each environment, by what its worker recorded before and after. */
async function recordDelta(
  { deployment, outcome, environments }: CloseEvidenceInput,
  folder: string,
  put: Put,
): Promise<{ readonly records: Record<string, PlaceRecord>; readonly deltas: readonly Delta[] }> {
  const records: Record<string, PlaceRecord> = {};
  for (const { environment } of environments) records[environment] = await readPlace(folder, environment);
  const deltas = environments.map((place) => deltaOf(place, records[place.environment]!));
  const whole = redactJson({ soakgate: 1, deployment, outcome, environments: deltas });
  await put('delta.json', JSON.stringify(whole, null, 1));
  await put('delta.md', redact(deltaText(deployment, deltas)));
  return { records, deltas };
}

/** A history that cannot be had (retention is over) does not keep the evidence open; it is named. */
async function recordHistories(input: CloseEvidenceInput, put: Put): Promise<readonly string[]> {
  const troubles: string[] = [];
  for (const workflow of input.workflows) {
    try {
      await put(
        `history/${workflow.replaceAll('/', '_')}.json`,
        JSON.stringify(await historyOf(workflow, input.deployment)),
      );
    } catch (error) {
      troubles.push(`The history of ${workflow} is not here: ${redact((error as Error).message)}`);
    }
  }
  return troubles;
}

function planOf({ start }: CloseEvidenceInput): Plan | null {
  const parsed = parsePlan(start.body.planText, start.body.planFile);
  return 'plan' in parsed ? parsed.plan : null;
}

async function seal(
  world: ControlContext,
  input: CloseEvidenceInput,
  manifestPath: string,
  by: Sealer,
): Promise<SealedEvidence> {
  const { files } = await hashEvidence(dirname(manifestPath));
  const { deployment, outcome } = input;
  const manifest: Manifest = { soakgate: 1, deployment, outcome, by, files };
  const hash = hashJson(manifest);
  const signature = signText(world.key, signedText('manifest', 'control', manifest));
  await world.artifacts.put(
    `${evidenceFolder(input.deployment)}/${MANIFEST}`,
    manifestText(manifest, hash, signature),
  );
  return { uri: dirname(manifestPath), manifest: hash, files: Object.keys(files).length };
}
