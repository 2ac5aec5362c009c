// Temporal's own download, by the address and parameters that its SDKs use.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { isAbsolute, normalize } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { sdkVersion } from './checkout.mjs';

const home = 'https://temporal.download';
const patience = 5_000;
const silence = 30_000;
const platforms = { linux: 'linux', darwin: 'darwin' };
const architectures = { x64: 'amd64', arm64: 'arm64' };

/**
 * Puts the archive's files below `folder` and returns the executable's path within; throws with one line when
 * it cannot be had.
 */
export async function downloadTemporal(artifact, folder, { from = home } = {}) {
  const { archiveUrl, fileToExtract } = await get(describe(artifact, from), (response) => response.json());
  if (!archiveUrl?.startsWith(`${new URL(from).protocol}//`) || !archiveUrl.endsWith('.tar.gz'))
    throw new Error(`an archive that is not expected: ${archiveUrl}`);
  if (isAbsolute(fileToExtract) || normalize(fileToExtract).startsWith('..'))
    throw new Error(`a file that is not expected: ${fileToExtract}`);
  await unpack(await get(archiveUrl), fileToExtract, folder);
  return fileToExtract;
}

function describe(artifact, from) {
  const platform = platforms[process.platform];
  const arch = architectures[process.arch];
  if (!platform || !arch) throw new Error(`nothing for ${process.platform} on ${process.arch}`);
  const query = new URLSearchParams({
    arch,
    platform,
    format: 'tar.gz',
    'sdk-name': 'sdk-typescript',
    'sdk-version': sdkVersion(),
  });
  return `${from}/${artifact}/default?${query}`;
}

/** What `read` makes of the answer; with the answer itself the body is read without this limit. */
async function get(address, read = (response) => response) {
  const connecting = new AbortController();
  const timer = setTimeout(
    () => connecting.abort(new Error(`no answer within ${patience / 1000} s`)),
    patience,
  );
  try {
    const response = await fetch(address, { signal: connecting.signal });
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    return await read(response);
  } catch (error) {
    throw new Error(error.cause?.code ?? error.message, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

async function unpack(response, file, folder) {
  const tar = spawn('tar', ['-xzf', '-', '-C', folder, '--', file], { stdio: ['pipe', 'ignore', 'pipe'] });
  let complaint = '';
  tar.stderr.on('data', (chunk) => (complaint += chunk));
  const ended = once(tar, 'close');
  const stalled = new AbortController();
  let timer;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => stalled.abort(new Error(`nothing came for ${silence / 1000} s`)), silence);
  };
  const body = Readable.fromWeb(response.body).on('data', wait);
  wait();
  // tar stops reading once it has its file: the broken pipe that follows is judged by tar's exit code.
  const piped = await pipeline(body, tar.stdin, { signal: stalled.signal }).catch((error) => error);
  clearTimeout(timer);
  if (stalled.signal.aborted) tar.kill();
  const [code] = await ended;
  if (code !== 0)
    throw new Error(
      stalled.signal.reason?.message ??
        (complaint.split('\n')[0] || `the archive broke off: ${piped?.message}`),
    );
}
