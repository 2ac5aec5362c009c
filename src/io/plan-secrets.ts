// Secrets in the text of a plan, also those that nobody of us has a pattern for: by secretlint's rules. Where they are
// and of what kind, never what they are.
import { lintSource } from '@secretlint/core';
import { creator } from '@secretlint/secretlint-rule-preset-recommend';
import type { Complaint } from '../core/plan/complaint.ts';

const RULES = { rules: [{ id: '@secretlint/secretlint-rule-preset-recommend', rule: creator, rules: [] }] };
const HINT =
  'take it out, make a new one where it came from, and refer to it: { env: NAME } or { file: path }';

/** A complaint for each, in the order of the file; `found` are those that are known already. */
export async function secretsIn(
  text: string,
  file: string,
  found: readonly Complaint[] = [],
): Promise<readonly Complaint[]> {
  const source = { filePath: 'soakgate.yaml', ext: '.yaml', content: text, contentType: 'text' } as const;
  const { messages } = await lintSource({ source, options: { locale: 'en', config: RULES } });
  const known = new Set(found.filter(({ message }) => message.includes('no secret')).map(({ line }) => line));
  return messages
    .filter(({ loc }) => !known.has(loc.start.line))
    .map(({ loc, messageId }) => ({
      file,
      line: loc.start.line,
      column: loc.start.column + 1,
      path: '',
      message: `holds what looks like a secret (${messageId.replaceAll('_', ' ').toLowerCase()}); a plan holds no secret`,
      hint: HINT,
    }));
}
