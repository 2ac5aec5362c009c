// What a command has of its surroundings: data goes to stdout, progress to stderr; colours only ever go with
// a word or a mark.
import { createInterface } from 'node:readline/promises';
import { styleText } from 'node:util';

export type Tone = 'good' | 'bad' | 'warn' | 'dim' | 'strong';

/** Colours a text, or leaves it alone. */
export type Paint = (tone: Tone, text: string) => string;

export interface Terminal {
  /** Data, on stdout. */
  print(text: string): void;
  /** Progress, on stderr. */
  say(text: string): void;
  /** For text on stdout. */
  readonly paint: Paint;
  /** For text on stderr. */
  readonly paintProgress: Paint;
  /** Whether a person looks at stderr; then progress may be drawn over itself. */
  readonly live: boolean;
  /** Columns and rows of that person's screen. */
  size(): { readonly columns: number; readonly rows: number };
  /** Writes on stderr without a line's end. */
  draw(text: string): void;
  /** Asks on stderr, reads stdin; null when nobody can be asked. */
  confirm(question: string): Promise<boolean | null>;
  /** What Ctrl-C says before it leaves with 130; null leaves Ctrl-C to the command. */
  leaving: string | null;
}

const tones = { good: 'green', bad: 'red', warn: 'yellow', dim: 'dim', strong: 'bold' } as const;

/** `styleText` asks the stream, NO_COLOR, NODE_DISABLE_COLORS and FORCE_COLOR. */
const painter =
  (stream: NodeJS.WriteStream): Paint =>
  (tone, text) =>
    text === '' ? text : styleText(tones[tone], text, { stream });

export function openTerminal(): Terminal {
  return {
    print: (text) => void process.stdout.write(`${text}\n`),
    say: (text) => void process.stderr.write(`${text}\n`),
    paint: painter(process.stdout),
    paintProgress: painter(process.stderr),
    live: process.stderr.isTTY === true && process.env['TERM'] !== 'dumb',
    // A terminal without a size says 0, not undefined.
    size: () => ({ columns: process.stderr.columns || 80, rows: process.stderr.rows || 24 }),
    draw: (text) => void process.stderr.write(text),
    confirm: async (question) => {
      if (!process.stdin.isTTY) return null;
      const asking = createInterface({ input: process.stdin, output: process.stderr });
      // readline takes Ctrl-C for itself while it reads.
      asking.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
      try {
        return /^y(?:es)?$/iu.test((await asking.question(`${question} [y/N] `)).trim());
      } finally {
        asking.close();
      }
    },
    leaving: 'left; nothing was sent',
  };
}

/**
 * One line without control signs: what others wrote may neither move the cursor nor hide anything (bidi, zero
 * width).
 */
export function visible(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what is taken out
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+/gu, ' ');
}
