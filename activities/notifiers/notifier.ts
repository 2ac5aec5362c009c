// What a notifier does.
import type { NotifierKey, NotifierOptions } from '../../src/core/plan/notifiers/index.ts';
import type { Notice } from '../../src/core/plan/notifiers/notifier.ts';

export interface Notifier<Key extends NotifierKey> {
  /** @throws Error that says why it was not delivered, without the address. */
  readonly send: (options: NotifierOptions[Key], notice: Notice) => Promise<void>;
}
