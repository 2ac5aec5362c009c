// Replays histories with the workflow code of this checkout: node_modules/.bin/node scripts/replay.ts
// FILE|WORKFLOW-ID …
// A FILE is a history of the evidence (evidence/DEPLOYMENT/history/*.json); an id is read from Temporal
// (TEMPORAL_ADDRESS).
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import proto from '@temporalio/proto';
import { beQuiet, replayAll, type ReplayedHistories } from '../worker/replay.ts';

type History = proto.temporal.api.history.v1.IHistory;
const { History } = proto.temporal.api.history.v1;
const names = process.argv.slice(2);

async function read(name: string): Promise<History> {
  if (existsSync(name)) return History.fromObject(JSON.parse(await readFile(name, 'utf8')) as object);
  const { connectionOptions, namespace } = loadClientConnectConfig();
  const connection = await Connection.connect(connectionOptions);
  try {
    const client = new Client({ connection, namespace: namespace ?? 'default' });
    return (await client.workflow.getHandle(name).fetchHistory()) as History;
  } finally {
    await connection.close();
  }
}

async function* histories(): ReplayedHistories {
  // A file is named for the workflow that it tells of: rollout_orders_staging.json.
  for (const name of names)
    yield { workflowId: existsSync(name) ? basename(name, '.json') : name, history: await read(name) };
}

if (names.length === 0) {
  console.error('which history? node_modules/.bin/node scripts/replay.ts FILE|WORKFLOW-ID …');
  process.exitCode = 2;
} else {
  beQuiet();
  for await (const { workflowId, why } of replayAll(histories())) {
    console.log(why === null ? `${workflowId}: replays` : `${workflowId}: does not replay: ${why}`);
    if (why !== null) process.exitCode = 1;
  }
}
