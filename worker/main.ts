// The process: settings → connect → run → drain on SIGTERM.
//   main.ts control --artifacts DIR --key FILE [--log-level LEVEL]
//   main.ts environment --file FILE [--log-level LEVEL]
import { parseArgs } from 'node:util';
import { Runtime } from '@temporalio/worker';
import { levelOf } from '../src/io/log-level.ts';
import { errorFields, openLog } from '../src/io/log.ts';
import { connectWorker } from './connection.ts';
import { controlWorker } from './control.ts';
import { environmentWorkers } from './environment.ts';
import { whenLauncherIsGone } from './launcher.ts';
import { loggedBy } from './temporal-log.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    artifacts: { type: 'string' },
    key: { type: 'string' },
    file: { type: 'string' },
    'log-level': { type: 'string' },
  },
});
const kind = positionals[0] === 'control' ? 'control' : 'environment';
const log = openLog({
  level: levelOf(values['log-level'] ?? process.env['SOAKGATE_LOG_LEVEL']),
  fields: { process: `${kind} worker` },
});
// What one activity forgot to await must not end the others: its own failure is reported where it is awaited.
process.on('unhandledRejection', (error) => {
  const { error: why, ...fields } = errorFields(error, log.level);
  log.error(`a promise failed that nobody awaits: ${String(why)}`, fields);
});
Runtime.install({ ...loggedBy(log), shutdownSignals: ['SIGINT', 'SIGTERM'] });
try {
  // What is wrong with a file is said before a server is waited for.
  const create =
    kind === 'control'
      ? await controlWorker(values.artifacts!, values.key!)
      : await environmentWorkers(values.file!, log);
  const connected = await connectWorker(log);
  const { workers, beside } = await create(connected);
  log.info(`${kind} worker is ready (pid ${process.pid})`);
  whenLauncherIsGone(() => {
    log.warn('the command that started this worker is gone: it finishes what runs, and ends');
    process.kill(process.pid, 'SIGTERM');
  });
  const over = new AbortController();
  await Promise.all([
    Promise.all(workers.map((worker) => worker.run())).finally(() => over.abort()),
    beside?.(over.signal),
  ]);
  await connected.connection.close();
} catch (error) {
  const { error: why, ...fields } = errorFields(error, log.level);
  log.error(`the ${kind} worker ends: ${String(why)}`, fields);
  process.exit(1);
}
