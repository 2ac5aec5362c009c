// Temporal's test server, in which a week of soak passes in seconds. For tests only.
import { chmodSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { announce, failure, say } from './announce.mjs';
import { cached, installOnce, sizeOf } from './cache.mjs';
import { sdkVersion } from './checkout.mjs';
import { findOnPath, isExecutable, run } from './command.mjs';
import { downloadTemporal } from './temporal-download.mjs';

const pinned = '1.38.0';
const name = 'temporal-test-server';
const remedy =
  'install Java 11 or newer and Maven (on Debian: `sudo apt-get install -y default-jre-headless maven`)';

const downloaded = () => cached(`${name}-sdk-${sdkVersion()}`);
const built = () => cached(`${name}-${pinned}`);

function find() {
  const given = process.env.SOAKGATE_TIME_SKIPPING;
  if (given) return isExecutable(given) ? { path: given } : undefined;
  const native = join(downloaded(), name);
  if (isExecutable(native)) return { path: native };
  const wrapper = join(built(), name);
  return isExecutable(wrapper) && findOnPath('java') ? { path: wrapper } : undefined;
}

async function install() {
  const given = process.env.SOAKGATE_TIME_SKIPPING;
  if (given) throw failure(`SOAKGATE_TIME_SKIPPING is not an executable: ${given}`, 'correct it or unset it');
  const refusal = await download();
  if (!refusal) return;
  const maven = findOnPath('mvn');
  if (!maven || !findOnPath('java'))
    throw failure(
      `the time-skipping server was not found, temporal.download said "${refusal}", and Java or ` +
        'Maven is missing',
      remedy,
    );
  say(`time-skipping server: temporal.download said "${refusal}"`);
  await announce(
    `time-skipping server: fetching ${name} ${pinned} with Maven, once (about 38 MB)`,
    async () => {
      await installOnce(built(), (draft) => gather(maven, draft));
      return `${sizeOf(built())} in ${built()}`;
    },
  );
}

async function download() {
  try {
    await announce('time-skipping server: downloading from temporal.download, once', async () => {
      await installOnce(downloaded(), async (draft) =>
        renameSync(join(draft, await downloadTemporal(name, draft)), join(draft, name)),
      );
      return `${sizeOf(downloaded())} in ${downloaded()}`;
    });
    return undefined;
  } catch (error) {
    return error.message;
  }
}

async function gather(maven, draft) {
  const pom = join(draft, 'pom.xml');
  writeFileSync(pom, project);
  await run(
    maven,
    [
      '-B',
      '-q',
      '-f',
      pom,
      'dependency:copy-dependencies',
      '-DincludeScope=runtime',
      '-DoutputDirectory=lib',
    ],
    {
      cwd: draft,
      next: remedy,
    },
  );
  writeFileSync(join(draft, name), wrapper);
  chmodSync(join(draft, name), 0o755);
}

const project = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>soakgate</groupId><artifactId>parts</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>io.temporal</groupId><artifactId>${name}</artifactId><version>${pinned}</version></dependency>
  </dependencies>
</project>
`;

// The SDK gives it 5 s to answer and ends it with SIGKILL: hence the flags for a quick start, and exec so
// that no JVM is left.
const wrapper = `#!/bin/sh
exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto -cp "\${0%/*}/lib/*" io.temporal.testserver.TestServer "$@"
`;

export const timeSkippingServer = {
  part: 'time-skipping server',
  find,
  install,
  remedy,
  version: (path) =>
    path.startsWith(built()) ? pinned : path.startsWith(downloaded()) ? `of SDK ${sdkVersion()}` : 'unknown',
};
