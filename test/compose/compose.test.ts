// docker-compose.yml, held by its text alone: what an engine would only tell a person who has one.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { run } from '../support/programs.ts';

const root = join(import.meta.dirname, '../..');
const file = join(root, 'docker-compose.yml');
const text = readFileSync(file, 'utf8');
const dockerfile = readFileSync(join(root, 'compose/Dockerfile'), 'utf8');
/** Stands in docs/compose.md, too. */
const DEMO_PASSWORD = 'soakgate-demo';

interface Service {
  readonly image: string;
  readonly restart?: string;
  readonly profiles?: readonly string[];
  readonly hostname?: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: {
    readonly test: readonly string[];
    readonly interval: string;
    readonly timeout: string;
    readonly retries: number;
  };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

const composed = parse(text, { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
};
const services = Object.entries(composed.services);
const service = (name: string): Service => composed.services[name]!;
const longRunning = services.filter(([, { restart }]) => restart === 'unless-stopped').map(([name]) => name);

const compose = await findCompose();
describe('docker-compose.yml', () => {
  test('every image is pinned to a whole version, in the Dockerfile, too', () => {
    const images = [
      ...services.map(([, { image }]) => image),
      ...[...dockerfile.matchAll(/^FROM (\S+)/gmu)].map(([, image]) => image!),
    ];
    expect(images.filter((image) => !/^[\w./-]+:\d+\.\d+(?:\.\d+)?(?:-[\w.-]+)?$/u.test(image))).toEqual([]);
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(images).toContain(`soakgate:${version}`);
  });

  test('every port is published on the loopback only', () => {
    const ports = services.flatMap(([, { ports: published = [] }]) => published);
    expect(ports.length).toBeGreaterThan(0);
    expect(ports.filter((port) => !/^127\.0\.0\.1:\d+:\d+$/u.test(port))).toEqual([]);
    expect(text).not.toContain('network_mode');
  });

  test('what stays up says whether it is well; the others run once', () => {
    expect(longRunning.length).toBeGreaterThan(5);
    for (const name of longRunning) {
      expect(service(name), name).toMatchObject({
        healthcheck: {
          interval: expect.any(String),
          timeout: expect.any(String),
          retries: expect.any(Number),
        },
      });
      expect(service(name).healthcheck!.test[0], name).toMatch(/^CMD(?:-SHELL)?$/u);
      expect(service(name).healthcheck!.test.length, name).toBeGreaterThan(1);
    }
    expect(services.map(([name]) => name).filter((name) => !longRunning.includes(name))).toEqual([
      'schema',
      'namespace',
      'prepare',
      'people',
    ]);
  });

  test('whoever waits for another waits for a state that it can reach', () => {
    for (const [name, { depends_on: others = {} }] of services)
      for (const [other, { condition }] of Object.entries(others)) {
        expect(Object.keys(composed.services), `${name} waits for ${other}`).toContain(other);
        expect(condition, `${name} waits for ${other}`).toBe(
          longRunning.includes(other) ? 'service_healthy' : 'service_completed_successfully',
        );
      }
  });

  test('no secret stands in it but the password of the demo, which the page names', () => {
    const named = services
      .flatMap(([, { environment = {} }]) => Object.entries(environment))
      .filter(([name]) => /PASS|PWD|SECRET|TOKEN|KEY/u.test(name));
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter(([, value]) => value !== DEMO_PASSWORD)).toEqual([]);
    const inAddresses = [...text.matchAll(/:\/\/[^\s/@:]+:([^\s/@]+)@/gu)].map(([, password]) => password);
    expect([...new Set(inAddresses)]).toEqual([DEMO_PASSWORD]);
    expect(text).not.toMatch(/PRIVATE KEY|ed25519:/u);
    expect(readFileSync(join(root, 'docs/compose.md'), 'utf8')).toContain(DEMO_PASSWORD);
  });

  test('nobody has what is not his: keys, places and databases are mounted where they are used', () => {
    const who = (volume: string) =>
      services
        .filter(([, { volumes = [] }]) => volumes.some((mount) => mount.startsWith(`${volume}:`)))
        .map(([name]) => name);
    expect(who('people')).toEqual(['prepare', 'people']);
    expect(who('control')).toEqual(['prepare', 'control']);
    expect(who('staging')).toEqual(['prepare', 'staging']);
    expect(who('production')).toEqual(['prepare', 'production']);
    expect(service('control').environment).not.toHaveProperty('DATABASE_URL');
    expect(service('staging').environment?.['DATABASE_URL']).toContain('@staging-database:');
    expect(service('production').environment?.['DATABASE_URL']).toContain('@production-database:');
    // A second host on the same artifacts is refused, and a container without a name is a new host each time.
    for (const name of ['control', 'staging', 'production']) expect(service(name).hostname).toBe(name);
  });

  test('volumes are declared, files are there', () => {
    const mounts = services.flatMap(([, { volumes = [] }]) => volumes.map((mount) => mount.split(':')[0]!));
    const [files, volumes] = [
      mounts.filter((mount) => mount.startsWith('.')),
      mounts.filter((mount) => !mount.startsWith('.')),
    ];
    expect([...new Set(volumes)].sort()).toEqual(Object.keys(composed.volumes).sort());
    for (const mount of files) expect(existsSync(join(root, mount)), mount).toBe(true);
    for (const [, from] of dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gmu))
      for (const path of from!.split(' '))
        expect(path === '.' || globSync(path, { cwd: root }).length > 0, path).toBe(true);
  });

  test.runIf(compose)('Docker Compose itself accepts it', async () => {
    const [program, ...before] = compose!;
    expect(await run(program!, [...before, '-f', file, 'config', '-q'])).toMatchObject({
      exitCode: 0,
      stdout: '',
      stderr: '',
    });
  });
});

/** `docker compose`, the program of version 2 by its name, or the one that SOAKGATE_COMPOSE names. */
async function findCompose(): Promise<readonly string[] | undefined> {
  const named = process.env['SOAKGATE_COMPOSE'];
  for (const candidate of [...(named ? [[named]] : []), ['docker', 'compose'], ['docker-compose']]) {
    const [program, ...before] = candidate;
    const { exitCode, stdout } = await run(program!, [...before, 'version']);
    if (exitCode === 0 && / v?2\.| v?[3-9]\d*\./u.test(stdout)) return candidate;
  }
  return undefined;
}
