// The live tree on a terminal: `soakgate status --watch` as a process of its own, put aside while somebody is asked.
import { type ChildProcess, spawn } from 'node:child_process';
import { endProcess } from '../../io/dev-server.ts';
import { SOAKGATE } from './people.ts';

export interface Screen {
  /** Runs with the tree put aside, so that a question is not drawn over. */
  aside<T>(act: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Shows the tree of one deployment until it is closed. */
export function openScreen(deployment: string, address: string, ui: string | null): Screen {
  let child: ChildProcess | undefined;
  const show = () => {
    const env = { ...process.env, TEMPORAL_ADDRESS: address, ...(ui && { SOAKGATE_UI: ui }) };
    child = spawn(process.execPath, [SOAKGATE, 'status', deployment, '--watch'], { stdio: ['ignore', 'inherit', 'inherit'], env });
  };
  const hide = async () => {
    if (child) await endProcess(child, 'SIGTERM', 2_000);
    child = undefined;
  };
  show();
  return {
    aside: async (act) => {
      await hide();
      const result = await act();
      show();
      return result;
    },
    close: hide,
  };
}
