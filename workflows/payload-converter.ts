// What is sent to a workflow is decoded before any handler sees it, and what cannot be decoded must not stop
// a workflow task:
// it becomes a marker that no shape fits.
import { defaultPayloadConverter, type PayloadConverter } from '@temporalio/common';

/** Stands for a payload that nobody can read. */
export class Unreadable {
  readonly why: string;
  constructor(why: string) {
    this.why = why;
  }
}

/** Temporal finds it by this name. */
export const payloadConverter: PayloadConverter = {
  toPayload: (value) => defaultPayloadConverter.toPayload(value),
  fromPayload: <T>(payload: Parameters<PayloadConverter['fromPayload']>[0]): T => {
    try {
      return defaultPayloadConverter.fromPayload<T>(payload);
    } catch (error) {
      return new Unreadable(error instanceof Error ? error.message : String(error)) as T;
    }
  },
};
