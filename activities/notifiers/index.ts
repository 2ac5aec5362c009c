// The family of notifiers: who is told that something waits for a person.
import type { NotifierEntry, NotifierKey } from '../../src/core/plan/notifiers/index.ts';
import type { Notice } from '../../src/core/plan/notifiers/notifier.ts';
import { command } from './command.ts';
import type { Notifier } from './notifier.ts';
import { webhook } from './webhook.ts';

const notifiers: { readonly [Key in NotifierKey]: Notifier<Key> } = { webhook, command };

/** Delivers one notice by one entry of the environment's file. @throws Error that says why it was not. */
export async function notify(entry: NotifierEntry, notice: Notice): Promise<void> {
  const [key, options] = Object.entries(entry)[0]!;
  // Its options are of the notifier's form: the file was read by it.
  await (notifiers[key as NotifierKey] as Notifier<NotifierKey>).send(options as never, notice);
}
