// Run once, before everything else: the keys of people and of the control worker, the repository of the
// example,
// and each environment's file. Each lies in a volume of its own, so that nobody has another's keys.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { load, orders, volumes } from './package.mjs';

const { makePlace, makeSomeone } = await load('src/cli/demo/place');
const inVolume = (...path) => join(volumes, ...path);
const done = inVolume('people', 'prepared');

/** The ports of docker-compose.yml; elsewhere they may be taken. */
const port = (name, usual) => Number(process.env[name] ?? usual);
const environments = {
  staging: { port: port('STAGING_PORT', 8001), approve: [] },
  production: {
    port: port('PRODUCTION_PORT', 8002),
    inside: port('PRODUCTION_INSIDE_PORT', 8102),
    approve: ['lead', 'dba'],
  },
};

/** Returns the worker's key. */
async function placeOf(environment, { port, inside, approve }, { people, control, others }) {
  const folder = inVolume(environment);
  const flagFile = join(folder, 'maintenance.flag');
  const operators = { any: ['lead', 'dba'] };
  const { worker } = await makePlace({
    folder,
    environment,
    service: 'orders',
    repository: inVolume('repository'),
    artifacts: inVolume('artifacts'),
    control: control.publicText,
    people,
    others,
    programs: ['node'],
    url: `http://127.0.0.1:${port}`,
    ...(inside && { inside: `http://127.0.0.1:${inside}`, flagFile }),
    serviceEnv: {
      // Within its container only; docker-compose.yml publishes it on the loopback.
      HOST: '0.0.0.0',
      PORT: String(port),
      ORDERS_MODULES: process.env.ORDERS_MODULES,
      ...(inside && { INSIDE_PORT: String(inside), MAINTENANCE_FLAG: flagFile }),
    },
    guardrails: {
      start: { any: ['developer', 'lead'] },
      approve: { each: approve },
      rollback: operators,
      decide: operators,
      operate: operators,
      soak: 'at least 24h',
    },
  });
  return { ...worker, name: environment };
}

async function prepare() {
  const keys = inVolume('people', 'soakgate', 'keys');
  const people = [
    await makeSomeone(keys, 'rae', ['developer']),
    await makeSomeone(keys, 'lea', ['lead']),
    await makeSomeone(keys, 'dan', ['dba']),
  ];
  const control = await makeSomeone(inVolume('control'), 'control', []);
  const repository = inVolume('repository');
  if (readdirSync(repository).length === 0)
    execFileSync(process.execPath, [join(orders, 'make-repository.mjs'), repository]);
  // Each environment believes the workers of those before it.
  const others = [];
  for (const [name, environment] of Object.entries(environments))
    others.push(await placeOf(name, environment, { people, control, others: [...others] }));
  await writeFile(done, `${new Date().toISOString()}\n`);
}

if (!existsSync(done)) await prepare();
