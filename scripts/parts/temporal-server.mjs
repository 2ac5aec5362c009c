// The Temporal CLI with its dev server. A server named by TEMPORAL_ADDRESS makes it unnecessary.
import { announce, failure, say } from './announce.mjs';
import { cached, installOnce, sizeOf } from './cache.mjs';
import { sdkVersion } from './checkout.mjs';
import { askVersion, findOnPath, isExecutable, run } from './command.mjs';
import { downloadTemporal } from './temporal-download.mjs';

const pinned = '1.5.1'; // The newest that builds from the Go module proxy alone.
const program = 'github.com/temporalio/cli/cmd/temporal';
const remedy =
  'install the Temporal CLI (https://docs.temporal.io/cli) so that `temporal` is on PATH, or Go 1.24 ' +
  'or newer so that it can be built here, or set TEMPORAL_ADDRESS to a running server';

const downloaded = () => cached(`temporal-sdk-${sdkVersion()}`);
const built = () => cached(`temporal-cli-${pinned}`);

function find() {
  const { TEMPORAL_ADDRESS: address, SOAKGATE_TEMPORAL: given } = process.env;
  if (address) return { path: address, elsewhere: true };
  if (given) return isExecutable(given) ? { path: given } : undefined;
  const path =
    findOnPath('temporal') ??
    [downloaded(), built()].map((folder) => `${folder}/temporal`).find(isExecutable);
  return path ? { path } : undefined;
}

async function install() {
  if (process.env.SOAKGATE_TEMPORAL)
    throw failure(
      `SOAKGATE_TEMPORAL is not an executable: ${process.env.SOAKGATE_TEMPORAL}`,
      'correct it or unset it',
    );
  const refusal = await download();
  if (!refusal) return;
  const go = findOnPath('go');
  if (!go)
    throw failure(
      `the Temporal server was not found, temporal.download said "${refusal}", and there is no Go to ` +
        'build it with',
      remedy,
    );
  say(`Temporal server: temporal.download said "${refusal}"`);
  await announce(
    `Temporal server: building the CLI ${pinned} with Go, once (3 to 9 minutes on two cores, 210 MB)`,
    async () => {
      await installOnce(built(), (draft) => build(go, draft));
      return `${sizeOf(built())} in ${built()}`;
    },
  );
}

/** Returns why it could not be had, or nothing. */
async function download() {
  try {
    await announce('Temporal server: downloading from temporal.download, once (about 120 MB)', async () => {
      await installOnce(downloaded(), (draft) => downloadTemporal('cli', draft));
      return `${sizeOf(downloaded())} in ${downloaded()}`;
    });
    return undefined;
  } catch (error) {
    return error.message;
  }
}

function build(go, draft) {
  const flags = `-s -w -X github.com/temporalio/cli/temporalcli.Version=${pinned}`;
  return run(go, ['install', '-ldflags', flags, `${program}@v${pinned}`], {
    env: { GOBIN: draft },
    next: remedy,
    limitMs: 40 * 60_000,
  });
}

const version = (path) =>
  path === process.env.TEMPORAL_ADDRESS
    ? 'as running there'
    : askVersion(path).replace('temporal version ', '');

export const temporalServer = { part: 'Temporal server', find, install, remedy, version };
