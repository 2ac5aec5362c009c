// What Python prints when it fails, without the frames: the exceptions say what happened, the log keeps all of it.

const FRAMES =
  /^(?:Traceback \(most recent call last\):|The above exception was|During handling of the above|\s{2,}\S)/u;

/** A trace, also one whose beginning is cut off. */
const BEGINS = /^(?:Traceback \(|\s+File ".*", line \d+)/u;

/** The lines that are no frames of a trace; all of them where nothing else was printed. */
export function withoutFrames(lines: readonly string[]): readonly string[] {
  if (!lines.some((line) => BEGINS.test(line))) return lines;
  const said = lines.filter((line) => line.trim() !== '' && !FRAMES.test(line));
  return said.length > 0 ? said : lines;
}
