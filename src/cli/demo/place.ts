// One environment's place on disk: its root, its file, its worker's folder; made for the demo and the tests.
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { createKey, writePrivateKey } from '../../io/trust.ts';

export interface Someone {
  readonly name: string;
  readonly roles: readonly string[];
  readonly keyFile: string;
  readonly publicText: string;
}

/** A key pair for a person or a control worker, with the private half in `folder`. */
export async function makeSomeone(folder: string, name: string, roles: readonly string[]): Promise<Someone> {
  const { privatePem, publicText } = createKey();
  const keyFile = join(folder, `${name}.key`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writePrivateKey(keyFile, privatePem);
  return { name, roles, keyFile, publicText };
}

export interface PlaceSpec {
  readonly folder: string;
  readonly environment: string;
  readonly service: string;
  readonly repository: string;
  readonly artifacts: string;
  readonly control: string;
  readonly people: readonly Someone[];
  /** The worker's own key; left out, it is made in `folder`. */
  readonly worker?: Someone;
  /** Workers of other environments whose statements count here, each under its environment's name. */
  readonly others?: readonly Someone[];
  readonly programs: readonly string[];
  readonly url?: string;
  readonly inside?: string;
  readonly flagFile?: string;
  readonly logs?: string;
  readonly serviceEnv?: Readonly<Record<string, string>>;
  readonly guardrails?: Readonly<Record<string, unknown>>;
}

export interface Place {
  readonly environment: string;
  readonly folder: string;
  readonly root: string;
  readonly file: string;
  readonly permitStore: string;
  readonly worker: Someone;
}

/**
 * Writes the environment's file and makes its folders. The database is a reference: DATABASE_URL of the
 * worker.
 */
export async function makePlace(spec: PlaceSpec): Promise<Place> {
  const root = join(spec.folder, 'root');
  const permitStore = join(spec.folder, 'permit-store');
  for (const folder of [root, join(root, 'releases')]) await mkdir(folder, { recursive: true });
  // Whatever the umask: a worker refuses a permit store that others may write to.
  await mkdir(permitStore, { recursive: true, mode: 0o700 });
  await chmod(spec.folder, 0o755);
  const worker = spec.worker ?? (await makeSomeone(spec.folder, `${spec.environment}-worker`, []));
  const roles = [...new Set(spec.people.flatMap((person) => person.roles))];
  const content = {
    'soakgate-environment': 1,
    environment: spec.environment,
    services: {
      [spec.service]: {
        root,
        repository: spec.repository,
        database: { env: 'DATABASE_URL' },
        ...(spec.url && { url: spec.url }),
        ...(spec.inside && { inside: spec.inside }),
        ...(spec.flagFile && { 'flag-file': spec.flagFile }),
        ...(spec.logs && { logs: spec.logs }),
        env: spec.serviceEnv ?? {},
      },
    },
    artifacts: spec.artifacts,
    'permit-store': permitStore,
    control: spec.control,
    'worker-key': worker.keyFile,
    ...(spec.others && {
      environments: Object.fromEntries(spec.others.map(({ name, publicText: key }) => [name, { key }])),
    }),
    people: Object.fromEntries(
      spec.people.map((person) => [person.name, { key: person.publicText, roles: person.roles }]),
    ),
    guardrails: {
      start: { any: roles },
      approve: { each: [] },
      rollback: { any: roles },
      decide: { any: roles },
      operate: { any: roles },
      pace: 'allowed',
      programs: spec.programs,
      ...spec.guardrails,
    },
  };
  const file = join(spec.folder, `${spec.environment}.yaml`);
  await writeFile(file, stringify(content));
  return { environment: spec.environment, folder: spec.folder, root, file, permitStore, worker };
}
