// Everything a step prints passes here before it is returned, logged or kept (rule 7).

export const TAIL_BYTES = 16 * 1024;
const HIDDEN = '•••';
const SHORTEST = 4;

const credentials = /\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s@]+@/giu;
/** `password=…`, `"token": "…"`, and the same inside a JSON text (`\"token\":\"…\"`); the quotes stay. */
const assignments =
  /\b((?:pg)?passw(?:or)?d|secret|token|api[_-]?key)(\\?["']?\s*[=:]\s*)(?:(\\")(?:[^"\\]|\\(?!"))*\\"|(")(?:[^"\\]|\\.)*"|(')[^']*'|([^\s,;&"'\\}\])]+))/giu;
const secretName = /^(?:(?:pg)?passw(?:or)?d|secret|token|api[_-]?key)$/iu;

/** Hides the given secrets, passwords in addresses and obvious assignments. */
export function redact(text: string, secrets: readonly string[] = []): string {
  let clean = text;
  for (const secret of secrets) if (secret.length >= SHORTEST) clean = clean.replaceAll(secret, HIDDEN);
  return clean
    .replace(credentials, `$1:${HIDDEN}@`)
    .replace(
      assignments,
      (_all, name: string, sign: string, escaped?: string, double?: string, single?: string) => {
        const quote = escaped ?? double ?? single ?? '';
        return `${name}${sign}${quote}${HIDDEN}${quote}`;
      },
    );
}

/** The same for every text in a JSON value, so that it stays JSON whatever is hidden. */
export function redactJson<T>(value: T, secrets: readonly string[] = []): T {
  if (typeof value === 'string') return redact(value, secrets) as T;
  if (Array.isArray(value)) return value.map((item: unknown) => redactJson(item, secrets)) as T;
  if (typeof value !== 'object' || value === null) return value;
  const hidden = (name: string, member: unknown) =>
    typeof member === 'string' && secretName.test(name) ? HIDDEN : redactJson(member, secrets);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, hidden(name, member)])) as T;
}

/** The end of a long text: at most `TAIL_BYTES` bytes, cut at a line where possible. */
export function tail(text: string, bytes = TAIL_BYTES): string {
  const buffer = Buffer.from(text);
  if (buffer.length <= bytes) return text;
  const end = buffer.subarray(buffer.length - bytes).toString('utf8');
  const line = end.indexOf('\n');
  return `… (${buffer.length - bytes} bytes before)\n${line >= 0 ? end.slice(line + 1) : end}`;
}
