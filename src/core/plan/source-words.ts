// Words that are refused wherever they stand in the YAML: they read differently under YAML 1.1 and 1.2,
// lose digits as a number, or hide something from whoever reviews the plan.
import { quote } from './complaint.ts';

interface Said {
  readonly message: string;
  readonly hint: string;
}

const ambiguous: readonly (readonly [RegExp, string])[] = [
  [/^(?:y|n|yes|no|on|off)$/iu, 'a truth value in YAML 1.1 and text in 1.2'],
  [/^[-+]?0[0-9_]+$/u, 'an octal number in YAML 1.1 and a decimal one in 1.2'],
  [/^[-+]?0o[0-7]+$/u, 'text in YAML 1.1 and an octal number in 1.2'],
  [/^[-+]?0b[01_]+$/u, 'a number in YAML 1.1 and text in 1.2'],
  [/^[-+]?(?:0x[0-9a-f]*_[0-9a-f_]*|[0-9][0-9_.]*_[0-9_.]*)$/iu, 'a number in YAML 1.1 and text in 1.2'],
  [/^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/u, 'a number of base 60 in YAML 1.1 and text in 1.2'],
  [/^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[tT\s].*)?$/u, 'a date in YAML 1.1 and text in 1.2'],
  [/^[-+]?[0-9.]+e[-+]?[0-9]+$/iu, 'text for some readers of YAML and a number for others'],
  [/^=$/u, 'a special value in YAML 1.1 and text in 1.2'],
];

/** No number or date is longer; what is, no reader takes for one. */
const LONGEST = 200;

/** What is wrong with a word that stands there without quotes. `value` is what YAML 1.2 makes of it. */
export function plainRemark(written: string, value: unknown = written): Said | undefined {
  const found = written.length > LONGEST ? undefined : ambiguous.find(([pattern]) => pattern.test(written));
  if (found)
    return {
      message: `${quote(written)} is ${found[1]}`,
      hint: /^[yn]|^o(?:n|ff)$/iu.test(written)
        ? `write true or false, or quote it: "${written}"`
        : `quote it: "${written}"`,
    };
  if (typeof value !== 'number') return undefined;
  if (!Number.isFinite(value))
    return { message: `${quote(written)} is no number that can be kept`, hint: 'write a finite one' };
  if (Number.isInteger(value) && !Number.isSafeInteger(value))
    return { message: `${quote(written)} is too large to be kept exactly`, hint: `quote it: "${written}"` };
  return undefined;
}

const HIDDEN =
  // oxlint-disable-next-line no-control-regex -- these are the signs to find
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u;

/** What is wrong with a text, quoted or not. */
export function textRemark(text: string): Said | undefined {
  const hidden = HIDDEN.exec(text);
  if (hidden)
    return {
      message: `holds the hidden sign U+${hidden[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`,
      hint: 'a plan shows everything it does; take it out',
    };
  return text.isWellFormed()
    ? undefined
    : { message: 'holds half of a sign', hint: 'save the file as UTF-8' };
}
