// A real Prometheus server for one test file, as Debian packages it; it watches itself.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../../src/io/command.ts';
import { freePort } from '../../src/io/free-port.ts';
import { get } from '../../src/io/http.ts';
import { ran, run } from './programs.ts';

const CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'soakgate/prometheus');
const PATIENCE_MS = 30_000;
/** Package registries may be slow, but not for ever. */
const FETCH_MS = 120_000;

export interface PrometheusServer {
  readonly url: string;
  /** Resolves when the query gives a series. */
  until(query: string): Promise<void>;
  stop(): void;
}

/** The program: installed, or unpacked from the distribution's package, which starts no service. */
async function program(): Promise<string> {
  const installed = findProgram('prometheus', process.env['PATH'] ?? '');
  if (installed) return installed;
  const unpacked = join(CACHE, 'usr/bin/prometheus');
  if (existsSync(unpacked)) return unpacked;
  mkdirSync(join(CACHE, '..'), { recursive: true });
  const draft = mkdtempSync(`${CACHE}.`);
  const download = () => run('apt-get', ['download', 'prometheus'], { cwd: draft, limitMs: FETCH_MS });
  // A new machine has no lists of packages yet.
  if ((await download()).exitCode !== 0) {
    await ran('apt-get', ['update'], { limitMs: FETCH_MS });
    await ran('apt-get', ['download', 'prometheus'], { cwd: draft, limitMs: FETCH_MS });
  }
  const [file] = readdirSync(draft).filter((name) => name.endsWith('.deb'));
  await ran('dpkg', ['-x', file!, '.'], { cwd: draft });
  if (existsSync(unpacked)) rmSync(draft, { recursive: true });
  else renameSync(draft, CACHE);
  return unpacked;
}

/** Started on a free port, asked until it has scraped itself. */
export async function startPrometheus(): Promise<PrometheusServer> {
  const folder = mkdtempSync(join(tmpdir(), 'sg-prometheus-'));
  const port = await freePort();
  const at = `127.0.0.1:${port}`;
  writeFileSync(
    join(folder, 'config.yaml'),
    `global: { scrape_interval: 250ms }\nscrape_configs: [{ job_name: self, static_configs: [{ ` +
      `targets: ['${at}'] }] }]\n`,
  );
  const child = spawn(
    await program(),
    [
      `--config.file=${join(folder, 'config.yaml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${at}`,
    ],
    { stdio: 'ignore' },
  );
  const until = async (query: string) => {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const { body } = await get(`http://${at}/api/v1/query?query=${encodeURIComponent(query)}`);
      if (body.includes('"value":[')) return;
      if (performance.now() > deadline) throw new Error(`Prometheus gives nothing for ${query}: ${body}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  await until('up{job="self"} == 1');
  return {
    url: `http://${at}`,
    until,
    stop: () => {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
