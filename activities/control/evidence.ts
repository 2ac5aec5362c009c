// Evidence: written as it happens by every worker, closed here with manifest, SUMMARY and histories.
import { getClient } from '@temporalio/activity';
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { CloseEvidenceInput, EvidenceFact, SealedEvidence } from '../../src/core/activities.ts';
import { type Manifest, manifestText, summaryText } from '../../src/core/evidence.ts';
import { signedText } from '../../src/core/messages.ts';
import { hashFile } from '../../src/io/files.ts';
import { redact } from '../../src/io/redact.ts';
import { hashJson, signText } from '../../src/io/trust.ts';
import type { ControlWorld } from './world.ts';

const folderOf = (deployment: string): string => `evidence/${deployment}`;

export async function recordEvidence(world: ControlWorld, fact: EvidenceFact): Promise<void> {
  const name = `${folderOf(fact.deployment)}/${fact.path}`;
  if (fact.append) await world.artifacts.append(name, redact(fact.content));
  else await world.artifacts.put(name, redact(fact.content));
}

/** Writes what is only known at the end, then hashes every file and signs the list of hashes. */
export async function closeEvidence(world: ControlWorld, input: CloseEvidenceInput): Promise<SealedEvidence> {
  const folder = folderOf(input.deployment);
  const put = (path: string, content: string) => world.artifacts.put(`${folder}/${path}`, redact(content));
  await put('approvals/start.json', JSON.stringify({ ...input.start, body: { ...input.start.body, planText: '(see plan.yaml)' } }, null, 1));
  await put('plan.yaml', input.start.body.planText);
  for (const environment of input.environments)
    await put(`logs/${environment.environment}/receipts.json`, JSON.stringify(environment.receipts, null, 1));
  for (const workflow of input.workflows) await put(`history/${workflow.replaceAll('/', '_')}.json`, JSON.stringify(await historyOf(workflow)));
  const delta = input.environments.map(({ environment, ending, undos, left, comparison }) => ({
    environment,
    ending,
    undos,
    left,
    comparison: comparison ?? null,
  }));
  await put('delta.json', JSON.stringify(delta, null, 1));
  await put('SUMMARY.md', summaryText(input));
  const root = await world.artifacts.path(`${folder}/manifest.json`);
  const files = await hashAll(join(root, '..'));
  const manifest: Manifest = { soakgate: 1, deployment: input.deployment, outcome: input.outcome, files };
  const hash = hashJson(manifest);
  await world.artifacts.put(
    `${folder}/manifest.json`,
    manifestText(manifest, hash, signText(world.key, signedText('manifest', 'control', manifest))),
  );
  return { uri: join(root, '..'), manifest: hash, files: Object.keys(files).length };
}

async function historyOf(workflowId: string): Promise<unknown> {
  const history = await getClient().workflow.getHandle(workflowId).fetchHistory();
  return history;
}

async function hashAll(folder: string): Promise<Record<string, { sha256: string; size: number }>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const hashed = await Promise.all(files.map(async (file) => [relative(folder, file), await hashFile(file)] as const));
  return Object.fromEntries(hashed.filter(([name]) => name !== 'manifest.json').sort(([a], [b]) => (a < b ? -1 : 1)));
}
