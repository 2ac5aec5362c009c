// What the control worker has: its key, the artifact store, a client for histories. No database credentials.
import type { KeyObject } from 'node:crypto';
import type { Artifacts } from '../../src/io/artifacts.ts';

export interface ControlContext {
  readonly key: KeyObject;
  readonly artifacts: Artifacts;
}
