// The process: settings → connect → run → drain on SIGTERM.
//   main.ts control --artifacts DIR --key FILE
//   main.ts environment --file FILE
import { parseArgs } from 'node:util';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { connectWorker } from './connection.ts';
import { createControlWorker } from './control.ts';
import { createEnvironmentWorkers } from './environment.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { artifacts: { type: 'string' }, key: { type: 'string' }, file: { type: 'string' } },
});
Runtime.install({ logger: new DefaultLogger('WARN'), shutdownSignals: ['SIGINT', 'SIGTERM'] });
const connected = await connectWorker();
const workers =
  positionals[0] === 'control'
    ? [await createControlWorker(connected, { artifacts: values.artifacts!, key: values.key! })]
    : await createEnvironmentWorkers(connected, values.file!);
process.stderr.write(`${positionals[0]} worker is ready (pid ${process.pid})\n`);
await Promise.all(workers.map((worker) => worker.run()));
await connected.connection.close();
