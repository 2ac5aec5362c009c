// The parts Soakgate stands on. Cheap ones first: what only a person can mend is said before minutes are
// spent on a build.
import { nodeRuntime } from './node-runtime.mjs';
import { npmPackages } from './npm-packages.mjs';
import { postgres } from './postgres.mjs';
import { temporalServer } from './temporal-server.mjs';
import { timeSkippingServer } from './time-skipping-server.mjs';

const packages = [npmPackages, nodeRuntime];
const partsFor = ({ tests }) => [
  ...packages,
  postgres,
  ...(tests ? [timeSkippingServer] : []),
  temporalServer,
];
const textOf = (text) => (typeof text === 'function' ? text() : text);

/** What is there and what to do about the rest; installs nothing. */
export function inspectParts({ tests }) {
  return partsFor({ tests }).map(({ part, find, version, remedy }) => {
    const found = find();
    if (!found)
      return {
        part,
        found: false,
        version: '',
        path: '',
        remedy: `\`npm test\` brings it where it can; else ${textOf(remedy)}`,
      };
    return { part, found: true, version: version(found.path) ?? 'unknown', path: found.path, remedy: '' };
  });
}

/** Enough for what needs no server: types, lint, format, unit tests, generated files. */
export async function ensurePackages() {
  for (const { find, install } of packages) if (!find()) await install();
  return { node: nodeRuntime.find().path, env: {} };
}

/** Brings what is missing; returns the Node to use and the environment that tells where the others are. */
export async function ensureParts({ tests }) {
  for (const { find, install } of partsFor({ tests })) if (!find()) await install();
  const temporal = temporalServer.find();
  return {
    node: nodeRuntime.find().path,
    env: {
      SOAKGATE_PG_BIN: postgres.find().path,
      SOAKGATE_TEMPORAL: temporal.elsewhere ? undefined : temporal.path,
      SOAKGATE_TIME_SKIPPING: tests ? timeSkippingServer.find().path : undefined,
    },
  };
}
