// What PostgreSQL repeats of a row in its errors is cut out before it reaches a history: SQLSTATE, constraint, table,
// columns and short keys stay, so that people find the row. The step's own log keeps the whole text.
const CUT = '•••';
/** A number or a UUID: what finds a row, and says nothing of anybody. */
const SHORT_KEY = /^(?:-?\d{1,20}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/iu;

/** What stands between `begins` and `ends` is values; where no end comes, all the rest is. */
interface Rule {
  readonly begins: RegExp;
  readonly ends: RegExp;
  readonly keep?: (values: string) => string;
}

/**
 * What follows a value for sure: the end, our own `(SQLSTATE)`, the next field of the error, or a line that is no
 * value's. Values hold quotes, brackets and line breaks, so nothing less ends one; too much is cut before too little.
 */
const OVER = String.raw`(?=\s*$|\.? \([0-9A-Z]{5}\)|\n(?:[A-Z][A-Z ]{2,24}:|psql:|[0-9A-Z]{5}\n|\n|  File |The above |During |Traceback ))`;
const QUOTE_ENDS = new RegExp(`"${OVER}`, 'gu');
/** The words before a value that stands in quotes, as PostgreSQL 12 to 18 write them. */
const BEFORE_QUOTE = [
  'invalid input (?:syntax|value) for (?:type|enum|encoding) [^:"\\n]{1,80}: ',
  '(?:date/time|interval) field value out of range: ',
  'malformed (?:array|record|range|multirange) literal: ',
  'invalid (?:hexadecimal|binary|octal) (?:digit|data|integer): ',
  'invalid (?:symbol|name syntax|regular expression): ',
  'COPY [^\\n,]{1,200}, line \\d{1,20}(?:, column [^\\n:]{1,200})?: ',
].join('|');

const RULES: readonly Rule[] = [
  { begins: /Failing row contains \(/gu, ends: new RegExp(String.raw`\)\.?(?:${OVER}|(?=["'\\]))`, 'gu') },
  {
    begins: /Key \([^\n]{1,300}?\)=\(/gu,
    ends: /\)(?= (?:already exists|is not present|is still referenced|conflicts|is duplicated|is not unique)|\.(?:$|\s))/gu,
    keep: (values) =>
      values
        .split(', ')
        .map((value) => (SHORT_KEY.test(value) ? value : CUT))
        .join(', '),
  },
  { begins: /existing key \([^\n]{1,300}?\)=\(/gu, ends: /\)(?=\.?(?:$|\s))/gu },
  { begins: new RegExp(`(?:${BEFORE_QUOTE})"`, 'gu'), ends: QUOTE_ENDS },
  {
    begins:
      /(?:time zone|value|date|time|timestamp|interval|Token) "(?=[^\n]{0,2000}" (?:is out of range|is invalid|not recognized))/gu,
    ends: /"(?= (?:is out of range|is invalid|not recognized))/gu,
  },
  { begins: /JSON data, line \d{1,20}: /gu, ends: /(?=\n|$)/gu },
];

/** The text without them; linear in its length. */
export const withoutRowValues = (text: string): string => RULES.reduce(cut, text);

function cut(text: string, { begins, ends, keep = () => CUT }: Rule): string {
  const parts: string[] = [];
  let from = 0;
  for (;;) {
    begins.lastIndex = from;
    const begun = begins.exec(text);
    if (!begun) return parts.length === 0 ? text : parts.join('') + text.slice(from);
    const start = begun.index + begun[0].length;
    ends.lastIndex = start;
    const end = ends.exec(text)?.index ?? text.length;
    parts.push(text.slice(from, start), keep(text.slice(start, end)));
    from = Math.max(end, start);
    if (from >= text.length) return parts.join('');
  }
}

/** The same for every text in a JSON value; what is signed stays as it was signed. */
export function withoutRowValuesIn<T>(value: T): T {
  if (typeof value === 'string') return withoutRowValues(value) as T;
  if (Array.isArray(value)) return value.map((item: unknown) => withoutRowValuesIn(item)) as T;
  if (typeof value !== 'object' || value === null || Object.hasOwn(value, 'signature')) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, withoutRowValuesIn(member as unknown)]),
  ) as T;
}
