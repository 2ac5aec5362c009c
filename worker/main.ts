// The process: settings → connect → run → drain on SIGTERM.
//   main.ts control --artifacts DIR --key FILE
//   main.ts environment --file FILE
import { parseArgs } from 'node:util';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { connectWorker } from './connection.ts';
import { controlWorker } from './control.ts';
import { environmentWorkers } from './environment.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { artifacts: { type: 'string' }, key: { type: 'string' }, file: { type: 'string' } },
});
Runtime.install({ logger: new DefaultLogger('WARN'), shutdownSignals: ['SIGINT', 'SIGTERM'] });
try {
  // What is wrong with a file is said before a server is waited for.
  const create =
    positionals[0] === 'control'
      ? await controlWorker(values.artifacts!, values.key!)
      : await environmentWorkers(values.file!);
  const connected = await connectWorker();
  const workers = await create(connected);
  process.stderr.write(`${positionals[0]} worker is ready (pid ${process.pid})\n`);
  await Promise.all(workers.map((worker) => worker.run()));
  await connected.connection.close();
} catch (error) {
  process.stderr.write(`soakgate: the ${positionals[0]} worker: ${(error as Error).message}\n`);
  process.exit(1);
}
