// docs/plan.md, the reference of every key of a plan, from the published schema; written by `npm run
// generate`.
import { flow } from '../src/core/plan/form-remarks.ts';
import { planJsonSchema } from '../src/core/plan/schema.ts';

interface Schema {
  readonly title?: string;
  readonly description?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly { readonly required: readonly string[] }[];
}

interface Row {
  readonly path: string;
  readonly form: string;
  readonly meaning: string;
}

const HEAD = `# The plan, key by key

*Generated from \`src/core/plan/schema.ts\` by \`npm run generate\`; do not edit.*

A plan is one YAML file that reads the same under YAML 1.1 and 1.2: no anchors, aliases, tags or merge keys, no key or value
\`on\`, \`off\`, \`yes\`, \`no\`. Every block is strict: an unknown key is refused. \`<name>\` stands for a name of your own, \`[]\` for
each item of a list. A key in **bold** must be there; *one of* marks keys of which exactly one stands there.

- **Durations** are a number and \`ms\`, \`s\`, \`m\`, \`h\`, \`d\` or \`w\`: \`50ms\`, \`10m\`, \`7d\`. **Sizes** end in \`B\`, \`KB\`, \`MB\`, \`GB\`, \`TB\`, \`KiB\`, \`MiB\`, \`GiB\`, \`TiB\`.
- **Thresholds** are \`at least\`, \`at most\`, \`above\`, \`below\` or \`exactly\`, a number with its unit, and where they fit \`per day\`, \`in a row\`,
  \`of baseline\`, \`of database\`, then \`for\` a duration: \`at least 95%\`, \`exactly 0 per day\`, \`above 2 in a row\`, \`at most 110% of baseline for 10m\`.
- **Commands** are lists of words; there is no shell: \`[python, manage.py, check]\`. A bare number among them is quoted.
- **No secret stands in a plan**: \`{ env: NAME }\` and \`{ file: path }\` refer to one that lies beside the worker.
`;

/** The text of docs/plan.md. */
export function planReference(): string {
  const { properties = {}, required = [] } = planJsonSchema() as Schema;
  const sections = Object.entries(properties).map(([key, schema]) => {
    const rows = rowsOf(key, schema, required.includes(key) ? 'required' : 'optional');
    return (
      `\n## \`${key}\`\n\n| key | form | meaning ` +
      `|\n|---|---|---|\n${rows.map(({ path, form, meaning }) => `| ${path} | ${form} | ${meaning} |`).join('\n')}\n`
    );
  });
  return HEAD + sections.join('');
}

type Need = 'required' | 'optional' | 'one of';

function rowsOf(path: string, schema: Schema, need: Need): readonly Row[] {
  const shown = need === 'required' ? `**\`${path}\`**` : `\`${path}\``;
  const row: Row = {
    path: shown,
    form: `${need === 'one of' ? '*one of:* ' : ''}${formOf(schema)}`,
    meaning: cell(schema.description ?? ''),
  };
  return [row, ...inner(path, schema)];
}

function inner(path: string, schema: Schema): readonly Row[] {
  const branches = (schema.anyOf ?? []).flatMap((branch) => inner(path, branch));
  const items = schema.items ? inner(`${path}[]`, schema.items) : [];
  const named =
    typeof schema.additionalProperties === 'object'
      ? inner(`${path}.<name>`, schema.additionalProperties)
      : [];
  const kinds = new Set((schema.oneOf ?? []).flatMap(({ required }) => required));
  const members = Object.entries(schema.properties ?? {}).flatMap(([key, member]) => {
    const need = kinds.has(key) ? 'one of' : schema.required?.includes(key) ? 'required' : 'optional';
    return rowsOf(`${path}.${key}`, member, need);
  });
  return [...members, ...items, ...named, ...unique(branches)];
}

const unique = (rows: readonly Row[]): readonly Row[] =>
  rows.filter((row, at) => rows.findIndex(({ path }) => path === row.path) === at);

function formOf(schema: Schema): string {
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.enum) return schema.enum.map((word) => `\`${String(word)}\``).join(', ');
  const examples = schema.examples?.length
    ? `, e.g. ${schema.examples
        .slice(0, 4)
        .map((example) => `\`${flow(example)}\``)
        .join(', ')}`
    : '';
  return cell(`${nameOf(schema)}${examples}`);
}

function nameOf(schema: Schema): string {
  if (schema.title && schema.type !== 'object') return schema.title;
  if (schema.anyOf) return [...new Set(schema.anyOf.map(formOf))].join(' or ');
  if (schema.items) return `list of: ${formOf(schema.items)}`;
  if (typeof schema.additionalProperties === 'object')
    return inner('', schema.additionalProperties).length
      ? 'block by name'
      : `block: name → ${formOf(schema.additionalProperties)}`;
  if (schema.type === 'object') return 'block';
  if (schema.type === 'boolean') return '`true` or `false`';
  return schema.type === 'integer' ? 'whole number' : 'text';
}

const cell = (text: string): string => text.replace(/\|/gu, '\\|').replace(/<(?!name>)/gu, '&lt;');
