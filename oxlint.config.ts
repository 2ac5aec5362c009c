// Who may import whom: the zone table of ARCHITECTURE.md as data, and the rules made from it.
// test/zones.test.ts holds this table, the page and the TypeScript references together.
import type { OxlintConfig } from 'oxlint';

export interface Zone {
  zone: string;
  mayImport: string[];
  typesOnly?: string[];
  /** Named by a path, never imported: Temporal bundles it. */
  byPath?: string[];
  except?: string[];
  /**
   * Takes the lists of kinds as types only, because their forms carry packages: the zone, or only these
   * modules of it.
   */
  listsAsTypes?: string[];
  packages: string[];
  /**
   * The folder of the zone that its packages are kept to, and the modules outsiders may not load because of
   * them.
   */
  packagesIn?: { folder: string; closed: string[] };
  /** What of a package is kept to one module of the zone. */
  onlyIn?: { module: string; from: string; names: string[] };
}

export const zones: Zone[] = [
  {
    zone: 'src/core',
    mayImport: [],
    packages: ['zod', 'yaml', 'croner'],
    listsAsTypes: ['src/core/compile.ts'],
    packagesIn: { folder: 'src/core/plan', closed: ['src/core/plan/schema', 'src/core/plan/parse'] },
  },
  {
    zone: 'workflows',
    mayImport: ['src/core'],
    typesOnly: ['activities'],
    except: ['src/core/plan/schema', 'src/core/plan/parse'],
    listsAsTypes: [],
    packages: ['@temporalio/workflow', '@temporalio/common'],
    onlyIn: {
      module: 'workflows/activities.ts',
      from: '@temporalio/workflow',
      names: ['proxyActivities', 'proxyLocalActivities', 'scheduleActivity', 'scheduleLocalActivity'],
    },
  },
  { zone: 'src/io', mayImport: ['src/core'], packages: ['*'] },
  { zone: 'activities', mayImport: ['src/core', 'src/io'], packages: ['@temporalio/activity'] },
  {
    zone: 'worker',
    mayImport: ['src/core', 'src/io', 'activities'],
    byPath: ['workflows'],
    packages: ['@temporalio/worker', '@temporalio/envconfig'],
  },
  {
    zone: 'src/client',
    mayImport: ['src/core', 'src/io'],
    typesOnly: ['workflows'],
    packages: ['@temporalio/client', '@temporalio/envconfig'],
  },
  {
    zone: 'src/api',
    mayImport: ['src/core', 'src/client', 'src/io'],
    packages: ['hono', '@hono/zod-openapi', '@hono/node-server', 'piscina'],
  },
  {
    zone: 'src/cli',
    mayImport: ['src/core', 'src/client', 'src/io'],
    typesOnly: ['workflows'],
    packages: ['commander', 'yaml'],
  },
];

const pure = ['src/core', 'workflows'];
/** Outside the pure zones Node itself is open; the doors (execa, pg) stay in src/io. Decision 0002. */
const nodeItself = ['node:*'];
const otherFolders = ['test', 'bench', 'examples', 'scripts', 'bin'];

const into = (path: string) => String.raw`(^|/)\.\./${path.replace('src/', '(src/)?')}/`;
const module = (path: string) => String.raw`(^|/)${path.split('/').slice(-2).join('/')}\.`;
const say = (zone: Zone) =>
  `${zone.zone} may import ${[...zone.mayImport, ...(zone.typesOnly ?? []).map((other) => `${other} (types only)`)].join(', ') || 'no other zone'}.`;

const lists = ['steps', 'monitors', 'migrators', 'restarters', 'notifiers', 'fallbacks'];
const listsAsTypes = (from: string) =>
  lists.map((family) => ({
    regex: module(`src/core/plan/${family}/index`),
    allowTypeImports: true,
    message: `${from} may import the list of ${family} as types only.`,
  }));

function forbiddenPaths(zone: Zone) {
  const others = [...zones.map((other) => other.zone), ...otherFolders].filter(
    (other) => other !== zone.zone && !zone.mayImport.includes(other),
  );
  return [
    ...others.map((other) => ({
      regex: into(other),
      allowTypeImports: zone.typesOnly?.includes(other) ?? false,
      message: say(zone),
    })),
    ...(zone.except ?? []).map((path) => ({
      regex: module(path),
      message: `${zone.zone} may not import ${path}.`,
    })),
    ...(zone.listsAsTypes?.length === 0 ? listsAsTypes(zone.zone) : []),
  ];
}

// Path rules first, the list of packages last: the other way round its exceptions silence the path rules.
function forbiddenPackages(zone: Zone, packages: string[]) {
  if (packages.includes('*')) return [];
  const allowed = [...packages, ...(pure.includes(zone.zone) ? [] : nodeItself)];
  const group = [
    '*',
    '!.',
    '!..',
    '!./**',
    '!../**',
    ...allowed.flatMap((name) => [`!${name}`, `!${name}/**`]),
  ];
  return [
    { group, message: `${zone.zone} may import only these packages: ${allowed.join(', ') || 'none'}.` },
  ];
}

const restrict = (patterns: unknown[]) => ({ 'no-restricted-imports': ['error', { patterns }] });

function rulesOf(zone: Zone) {
  const paths = forbiddenPaths(zone);
  const folder = zone.packagesIn;
  if (!folder) {
    const { onlyIn } = zone;
    const rules = [...paths, ...forbiddenPackages(zone, zone.packages)];
    if (!onlyIn) return [{ files: [`${zone.zone}/**`], rules: restrict(rules) }];
    const elsewhere = {
      regex: `^${onlyIn.from}$`,
      importNames: onlyIn.names,
      message: `Only ${onlyIn.module} calls activities.`,
    };
    return [
      { files: [`${zone.zone}/**`], rules: restrict([elsewhere, ...rules]) },
      { files: [onlyIn.module], rules: restrict(rules) },
    ];
  }
  const closed = folder.closed.map((path) => ({
    regex: module(path),
    message: `Only ${folder.folder} may import ${path}, which carries packages.`,
  }));
  return [
    { files: [`${zone.zone}/**`], rules: restrict([...paths, ...closed, ...forbiddenPackages(zone, [])]) },
    {
      files: [`${folder.folder}/**`],
      rules: restrict([...paths, ...forbiddenPackages(zone, zone.packages)]),
    },
    ...(zone.listsAsTypes ?? []).map((file) => ({
      files: [file],
      rules: restrict([...paths, ...closed, ...listsAsTypes(file), ...forbiddenPackages(zone, [])]),
    })),
  ];
}

const noClockNoChance = {
  'no-restricted-globals': [
    'error',
    ...['Date', 'WeakRef', 'FinalizationRegistry'].map((name) => ({
      name,
      message: 'A pure zone is handed its facts.',
    })),
  ],
  'no-restricted-properties': [
    'error',
    { object: 'Math', property: 'random', message: 'A pure zone has no chance in it.' },
  ],
};

/**
 * A run that hangs says nothing: children of the tests have a limit, and none is waited for in a way that
 * stops vitest's own.
 */
const childrenWithLimit = {
  'no-restricted-imports': [
    'error',
    {
      paths: ['node:child_process', 'child_process'].map((name) => ({
        name,
        importNames: ['exec', 'execFile', 'execFileSync', 'execSync', 'spawnSync'],
        message: 'Use run, ran or ranNow of test/support/programs.ts: they have a limit.',
      })),
    },
  ],
};

const config = {
  plugins: ['typescript', 'import', 'oxc', 'unicorn', 'promise'],
  categories: { correctness: 'error' },
  options: { typeAware: true },
  ignorePatterns: ['dist', 'node_modules', 'coverage', '.soakgate', 'examples/*/**'],
  rules: {
    // Types count: a circle of types is a circle of thought.
    'import/no-cycle': ['error', { ignoreTypes: false }],
    'import/no-default-export': 'error',
    'max-lines': ['error', 300],
    'max-lines-per-function': ['error', { max: 50, skipBlankLines: true, skipComments: true }],
    'typescript/no-floating-promises': 'error',
    'typescript/switch-exhaustiveness-check': 'error',
    // A plan's free options are `unknown` until they are printed.
    'typescript/no-base-to-string': 'off',
  },
  overrides: [
    ...zones.flatMap(rulesOf),
    { files: pure.map((zone) => `${zone}/**`), rules: noClockNoChance },
    { files: ['test/**'], rules: { 'max-lines': ['error', 500], 'max-lines-per-function': 'off' } },
    { files: ['test/**', 'bench/**'], excludeFiles: ['test/support/programs.ts'], rules: childrenWithLimit },
    // Temporal calls it for every type of workflow that nobody knows.
    { files: ['workflows/index.ts'], rules: { 'import/no-default-export': 'off' } },
    { files: ['*.config.ts'], rules: { 'import/no-default-export': 'off' } },
  ],
};

export default config as OxlintConfig;
