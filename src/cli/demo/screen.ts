// The live tree on a terminal, drawn over itself; put aside, with what is asked about on it, while somebody
// is asked.
import type { Connected } from '../../client/connection.ts';
import { openStatus } from '../../client/status.ts';
import { renderStatus } from '../render/status.ts';
import { openTerminal } from '../terminal.ts';

export interface Screen {
  /** Draws the tree anew, once a second at most. */
  draw(): Promise<void>;
  /** Draws it a last time and leaves it; what is written next stands below it, and so does the next tree. */
  leave(): Promise<void>;
}

const EVERY_MS = 1_000;

export async function openScreen(connected: Connected, deployment: string): Promise<Screen> {
  const terminal = openTerminal();
  const { read } = await openStatus(connected, deployment);
  let [height, drawnAt] = [0, Number.NEGATIVE_INFINITY];
  const now = async () => {
    // A server that does not answer this once is no reason to end: the tree stays as it was.
    const status = await read().catch(() => null);
    if (!status) return;
    const lines = renderStatus(status, { paint: terminal.paintProgress, size: terminal.size() });
    terminal.draw(`${height > 0 ? `\u001b[${height}A\r\u001b[J` : ''}${lines.join('\n')}\n`);
    [height, drawnAt] = [lines.length, performance.now()];
  };
  return {
    draw: async () => {
      if (performance.now() - drawnAt >= EVERY_MS) await now();
    },
    leave: async () => {
      await now();
      height = 0;
    },
  };
}
