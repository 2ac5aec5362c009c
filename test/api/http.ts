// Asks a real server, and holds each answer against what its route declares.
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { z } from '@hono/zod-openapi';
import { routes } from '../../src/api/routes.ts';

const ENTRY = fileURLToPath(new URL('../../bin/soakgate.mjs', import.meta.url));
const JSON_LINE_MS = 15_000;

export interface Server {
  readonly url: string;
  /** Everything on stderr so far. */
  readonly log: () => string;
  /** Sends a signal; resolves with the exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

/** `soakgate server` on a free port, as people run it; of this checkout unless another one is named. */
export async function raiseServer(
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  entry: string = ENTRY,
): Promise<Server> {
  const child: ChildProcess = spawn(
    process.execPath,
    [entry, 'server', '--port', '0', '-o', 'json', ...args],
    {
      env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let [out, err] = ['', ''];
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const deadline = Date.now() + JSON_LINE_MS;
  while (!out.includes('\n')) {
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(`the server does not come up:\n${err}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    url: (JSON.parse(out) as { url: string }).url,
    log: () => err,
    end: (signal = 'SIGTERM') => {
      child.kill(signal);
      return ended;
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- what is in it is what the test says
  readonly body: any;
  readonly tookMs: number;
}

export interface Asking {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

type Declared = Readonly<
  Record<string, { readonly content: Readonly<Record<string, { readonly schema: z.ZodType }>> }>
>;

/** Fails when the answer is none that its route declares. */
export async function ask(
  server: Server,
  method: 'GET' | 'POST',
  path: string,
  { body, headers }: Asking = {},
): Promise<Answer> {
  const started = performance.now();
  const answer = await fetch(`${server.url}${path}`, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const json = (await answer.json()) as unknown;
  const route = routes.find(
    (one) => one.method === method.toLowerCase() && patternOf(one.path).test(path.split('?')[0] ?? ''),
  );
  const type = answer.headers.get('content-type') ?? '';
  const schema = (route?.responses as Declared | undefined)?.[answer.status]?.content[type]?.schema;
  if (!schema)
    throw new Error(`${method} ${path} declares no ${answer.status} ${type}: ${JSON.stringify(json)}`);
  // What is not declared would be left out.
  expect(schema.parse(json)).toEqual(json);
  return { status: answer.status, headers: answer.headers, body: json, tookMs: performance.now() - started };
}

const patternOf = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll(/\{\w+\}/gu, '[^/]+').replaceAll('.', String.raw`\.`)}$`, 'u');

export interface Temporal {
  /** It takes connections and says nothing, until it is killed. */
  hang(): void;
  /** `kill -9`, also when it hangs. */
  kill(): void;
  /** Starts it again as it was, on the same port and file. */
  again(): ChildProcess;
}

/** The Temporal server whose file lies in this folder. */
export function temporalIn(folder: string): Temporal {
  const wanted = `${folder}/temporal.db`;
  const found = readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .map((pid) => ({ pid: Number(pid), argv: argvOf(pid) }))
    .find(({ argv }) => argv.includes(wanted) && argv.includes('start-dev'));
  if (!found) throw new Error(`no Temporal server has its file in ${folder}`);
  const [program = '', ...args] = found.argv;
  return {
    hang: () => void process.kill(found.pid, 'SIGSTOP'),
    kill: () => void process.kill(found.pid, 'SIGKILL'),
    again: () => spawn(program, args, { stdio: 'ignore' }),
  };
}

/** Processes come and go while they are listed. */
function argvOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}
