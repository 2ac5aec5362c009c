// For tests of single steps: a record that allows every order and keeps nothing. What the true one allows is tested in
// test/core/ledger.test.ts and test/trust.
import type { OwnRecord } from '../../activities/frame/own-record.ts';

export const anyOrder: OwnRecord = {
  beginStep: async () => undefined,
  endStep: async () => undefined,
  beginUndo: async (_kept, _step, _undo, handed) => handed ?? {},
  endUndo: async () => undefined,
  beginForward: async () => undefined,
  endForward: async () => undefined,
  beginSlice: async (_kept, { state }) => ({ state, schema: 0 }),
  endSlice: async () => undefined,
  compared: async () => undefined,
  tooEarly: async () => null,
  signed: async () => undefined,
  stated: async () => ({ steps: [], observation: null }),
  end: async (_kept, outcome) => outcome,
};
