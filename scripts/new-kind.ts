// What `npm run new` needs to know of each family: its folders, its two lists, and the names made from one
// name.
import { Script } from 'node:vm';

/** The words that a template is filled with. */
export interface Names {
  /** As it stands in the plan: `copy-rows`. */
  readonly key: string;
  /** As it stands in code: `copyRows`. */
  readonly name: string;
  /** The same with a capital, for types. */
  readonly Name: string;
  /** Its key as a property, quoted where it must be. */
  readonly field: string;
  /** How that property is read. */
  readonly access: string;
  /** The path of its activity. */
  readonly activity: string;
}

interface Entry {
  /** The constant that is the list. */
  readonly list: string;
  readonly import: string;
  readonly line: string;
}

interface FamilyOfKinds {
  /** Its folder in core. */
  readonly core: string;
  /** Its folder below `activities/`; of a step, only the folder that is taken when none is named. */
  readonly folder: string;
  readonly anyFolder?: true;
  readonly lists: (names: Names) => readonly (Entry & { readonly file: string })[];
}

const member = ({ key, name }: Names, value = name): string =>
  key === value ? key : `${key === name ? name : `'${key}'`}: ${value}`;

function familyOf(folder: string, listInCore: string, list: string, exported: (names: Names) => string) {
  const core = `src/core/plan/${folder}`;
  const lists: FamilyOfKinds['lists'] = (names) => [
    {
      file: `${core}/index.ts`,
      list: listInCore,
      import: `import { ${names.name} } from './${names.key}.ts';`,
      line: member(names),
    },
    {
      file: `activities/${folder}/index.ts`,
      list,
      import: `import { ${exported(names)} } from './${names.key}.ts';`,
      line: member(names, exported(names)),
    },
  ];
  return { core, folder, lists };
}

const step: FamilyOfKinds = {
  core: 'src/core/plan/steps',
  folder: 'checks',
  anyFolder: true,
  lists: (names) => [
    {
      file: 'src/core/plan/steps/index.ts',
      list: 'stepKinds',
      import: `import { ${names.name} } from './${names.key}.ts';`,
      line: member(names),
    },
    {
      file: 'activities/index.ts',
      list: 'steps',
      import: `import { ${names.name} } from './${names.activity.replace('activities/', '')}';`,
      line: `${names.name}: plainStep(${names.name})`,
    },
  ],
};

/** What may be begun. */
export const families = {
  step,
  monitor: familyOf('monitors', 'sources', 'readers', ({ Name }) => `read${Name}`),
  migrator: familyOf('migrators', 'migrators', 'migrators', ({ name }) => name),
  restarter: familyOf('restarters', 'restarters', 'restarters', ({ name }) => name),
} satisfies Readonly<Record<string, FamilyOfKinds>>;

export type Family = keyof typeof families;

const LONGEST = 60;

/** @throws RangeError where the word cannot be a key of a plan or a name in code. */
export function namesOf(key: string, folder: string): Names {
  if (key.length > LONGEST || !/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/u.test(key))
    throw new RangeError(`${key} is no name for a kind; small letters and hyphens, as in copy-rows`);
  const name = key.replaceAll(/-([a-z0-9])/gu, (_, letter: string) => letter.toUpperCase());
  if (isReserved(name)) throw new RangeError(`${name} is a word of TypeScript; take another name`);
  const plain = key === name;
  return {
    key,
    name,
    Name: name[0]!.toUpperCase() + name.slice(1),
    field: plain ? key : `'${key}'`,
    access: plain ? `.${key}` : `['${key}']`,
    activity: `activities/${folder}/${key}.ts`,
  };
}

function isReserved(name: string): boolean {
  try {
    // Only parsed: the word would have to be declared.
    return !new Script(`async () => { 'use strict'; const ${name} = 0; }`);
  } catch {
    return true;
  }
}

/** A template with its words filled in. */
export const fill = (template: string, names: Names): string =>
  template.replaceAll(/\{(key|name|Name|field|access|activity)\}/gu, (_, word: keyof Names) => names[word]);

/**
 * A list with one line and its import more.
 * @throws RangeError where the list, or what the file imports, has that name.
 */
export function withLine(text: string, { list, import: imported, line }: Entry): string {
  const open = text.indexOf('= {', text.indexOf(`const ${list}`));
  const close = text.indexOf('}', open + 3);
  if (open < 0 || close < 0) throw new RangeError(`no list ${list} was found; the script must be mended`);
  const [key = ''] = line.split(':');
  const [, name = ''] = /\{ (\w+) \}/u.exec(imported) ?? [];
  const members = text.slice(open + 3, close);
  const taken = (word: string, where: string): boolean =>
    new RegExp(String.raw`(?<![\w'-])${word}(?![\w'-])`, 'u').test(where);
  const imports = [...text.matchAll(/^import .*?;$/gmsu)];
  if (
    taken(key, members) ||
    imports.some(([line]) => taken(name, line.replace(/^import (?:type )?| from .*/gsu, '')))
  )
    throw new RangeError(`the list ${list} has ${key} already; take another name`);
  const last = imports.at(-1)!;
  const after = last.index + last[0].length;
  const body = members.trimEnd().replace(/,$/u, '');
  return (
    `${text.slice(0, after)}\n${imported}${text.slice(after, open + 3)}${body}, ${line} ` +
    `${text.slice(close)}`
  );
}
