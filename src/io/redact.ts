// Everything a step prints passes here before it is returned, logged or kept (rule 7).

export const TAIL_BYTES = 16 * 1024;

const credentials = /\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s@]+@/giu;
const assignments = /\b((?:pg)?passw(?:or)?d|secret|token|api[_-]?key)(["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;&]+)/giu;

/** Hides the given secrets, passwords in addresses and obvious assignments. */
export function redact(text: string, secrets: readonly string[] = []): string {
  let clean = text;
  for (const secret of secrets) if (secret.length >= 4) clean = clean.replaceAll(secret, '•••');
  return clean.replace(credentials, '$1:•••@').replace(assignments, '$1$2•••');
}

/** The end of a long text: at most `TAIL_BYTES` bytes, cut at a line where possible. */
export function tail(text: string, bytes = TAIL_BYTES): string {
  const buffer = Buffer.from(text);
  if (buffer.length <= bytes) return text;
  const end = buffer.subarray(buffer.length - bytes).toString('utf8');
  const line = end.indexOf('\n');
  return `… (${buffer.length - bytes} bytes before)\n${line >= 0 ? end.slice(line + 1) : end}`;
}
