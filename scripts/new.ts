// Begins a new kind: npm run new -- step|monitor|migrator|restarter NAME [--in FOLDER] [--root DIR]
// Writes both files, the line in both lists and a test that is red until the kind does something.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { families, type Family, fill, namesOf, withLine } from './new-kind.ts';

const HERE = join(import.meta.dirname, '..');

/** What was asked for cannot be made; nothing has been written. */
class Refused extends Error {}

const USAGE = `usage: npm run new -- ${Object.keys(families).join('|')} NAME [--in FOLDER]`;

function parsed() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { in: { type: 'string' }, root: { type: 'string', default: HERE } },
    });
  } catch (error) {
    throw new Refused(`${(error as Error).message}\n${USAGE}`);
  }
}

function asked() {
  const { positionals, values } = parsed();
  const [kind = '', key = '', ...more] = positionals;
  const family = Object.hasOwn(families, kind) ? families[kind as Family] : undefined;
  if (!family || key === '' || more.length > 0) throw new Refused(USAGE);
  if (values.in !== undefined && !family.anyFolder)
    throw new Refused(`a ${kind} always lies in activities/${family.folder}; leave --in out`);
  return { kind, key, family, root: values.root, folder: values.in ?? family.folder };
}

function begin() {
  const { kind, key, family, root, folder } = asked();
  const names = namesOf(key, folder);
  const paths = {
    core: `${family.core}/${key}.ts`,
    activity: names.activity,
    test: `test/activities/${key}.test.ts`,
  };
  const there = Object.values(paths).find((path) => existsSync(join(root, path)));
  if (there) throw new Refused(`${there} is there already; take another name`);
  const place = join(root, 'activities', folder);
  if (!/^[a-z][a-z-]*$/u.test(folder) || !existsSync(place) || !statSync(place).isDirectory())
    throw new Refused(`there is no folder activities/${folder}; name one that is there, or make it`);
  const lists = family
    .lists(names)
    .map(({ file, ...entry }) => [file, withLine(readFileSync(join(root, file), 'utf8'), entry)] as const);
  const files = Object.entries(paths).map(([side, path]) => {
    const template = join(import.meta.dirname, 'templates', kind, `${side}.ts.txt`);
    return [path, fill(readFileSync(template, 'utf8'), names)] as const;
  });
  const before = lists.map(([path]) => [path, readFileSync(join(root, path), 'utf8')] as const);
  try {
    for (const [path, text] of [...files, ...lists]) writeFileSync(join(root, path), text);
    format(
      root,
      [...files, ...lists].map(([path]) => path),
    );
  } catch (error) {
    // All of it or nothing.
    for (const [path, text] of before) writeFileSync(join(root, path), text);
    for (const [path] of files) rmSync(join(root, path), { force: true });
    throw error;
  }
  console.log(
    whatIsNext(
      kind,
      paths,
      lists.map(([path]) => path),
    ),
  );
}

function format(root: string, paths: readonly string[]): void {
  const program = join(HERE, 'node_modules/oxfmt/bin/oxfmt');
  execFileSync(process.execPath, [program, ...paths], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
}

const whatIsNext = (kind: string, paths: { core: string; activity: string; test: string }, lists: string[]) =>
  `written: ${Object.values(paths).join(', ')}
its line: ${lists.join(', ')}
next, wherever FILL IN stands:
  1. ${paths.core}: its form in the plan${kind === 'step' ? ', what it changes and how that is undone' : ''}
  2. ${paths.activity}: what it does
  3. ${paths.test}: npm test -- ${paths.test} (red until then)
  4. npm run generate (schema, plan reference) and npm run generate -- goldens
  5. npm run check`;

try {
  begin();
} catch (error) {
  if (!(error instanceof Refused) && !(error instanceof RangeError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
