// Follows a deployment to its end: drawn over itself at a terminal, else one line for each change.
import type { DeploymentStatus } from '../client/status.ts';
import { exitCodes, exitOfStatus, goesOn } from './exit-codes.ts';
import { renderStatus, stateText, whatNext } from './render/status.ts';
import { took } from './render/words.ts';
import { type Terminal, visible } from './terminal.ts';

const EVERY_MS = 1_000;

/**
 * Progress on stderr; the last status and the exit code are handed back. 124 when it took longer than
 * `timeoutMs`.
 */
export async function watch(
  terminal: Terminal,
  read: () => Promise<DeploymentStatus>,
  timeoutMs = Number.POSITIVE_INFINITY,
): Promise<{ readonly status: DeploymentStatus; readonly code: number }> {
  const deadline = performance.now() + timeoutMs;
  const show = terminal.live ? redraw(terminal) : tell(terminal);
  for (;;) {
    const status = await read();
    terminal.leaving = `stopped watching; ${status.deployment} continues: soakgate status ${status.deployment} --watch`;
    show(status);
    if (!goesOn(status)) return { status, code: exitOfStatus(status) };
    if (performance.now() + EVERY_MS > deadline) return { status, code: exitCodes['timed-out'] };
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}

/** Moves up over what was drawn before; nothing else of the screen is touched. */
function redraw(terminal: Terminal): (status: DeploymentStatus) => void {
  let height = 0;
  return (status) => {
    const lines = renderStatus(status, { paint: terminal.paintProgress, size: terminal.size() });
    terminal.draw(`${height > 0 ? `\u001b[${height}A\r\u001b[J` : ''}${lines.join('\n')}\n`);
    height = lines.length;
  };
}

function tell(terminal: Terminal): (status: DeploymentStatus) => void {
  const told = new Map<string, string>();
  return (status) => {
    for (const [about, text] of facts(status)) {
      if (told.get(about) === text) continue;
      told.set(about, text);
      terminal.say(`${new Date().toISOString().slice(11, 19)}Z ${about}: ${text}`);
    }
  };
}

/** What may change, each with a name of its own. A step that waits is not worth a line. */
function* facts(status: DeploymentStatus): Generator<readonly [about: string, text: string]> {
  yield [status.deployment, stateText(status)];
  for (const { environment, progress, result } of status.environments) {
    for (const { name, state, summary, tookMs } of progress?.lines ?? []) {
      if (state !== 'waiting')
        yield [
          `${environment}, ${name}`,
          `${state}${tookMs === null ? '' : ` (${took(tookMs)})`}${summary ? `: ${visible(summary)}` : ''}`,
        ];
    }
    if (progress) yield [environment, visible(progress.phase)];
    if (result) yield [`${environment}, ended`, `${result.outcome}: ${visible(result.reason)}`];
  }
  const { waiting, next } = whatNext(status);
  if (waiting) yield ['waiting for', `${visible(waiting)}${next ? `; next: ${visible(next)}` : ''}`];
}
