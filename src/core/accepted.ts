// What did not pass and was let pass: by people, or by a line of the plan. It stays visible to the end.
import { count } from './count.ts';

export interface Accepted {
  /** The step or sample, and what was said of it, e.g. `data: 67 findings`. */
  readonly about: string;
  /** Who let it pass, e.g. `continued by dan`. */
  readonly how: string;
}

/** So many are listed; a monitor that is answered for weeks does not grow a result without end. */
export const MOST_ACCEPTED = 100;
const NAMED = 3;
const LONGEST = 120;

/** `2 problems accepted: data: 67 findings (continued by dan); …`; empty where nothing was. */
export function acceptedText(accepted: readonly Accepted[]): string {
  if (accepted.length === 0) return '';
  const named = accepted.slice(0, NAMED).map(({ about, how }) => `${cut(about)} (${how})`);
  const more = accepted.length > NAMED ? [`${accepted.length - NAMED} more`] : [];
  return `${count(accepted.length, 'problem')} accepted: ${[...named, ...more].join('; ')}`;
}

/** Of several environments, each under its name. */
export const allAccepted = (
  places: readonly { readonly environment: string; readonly accepted?: readonly Accepted[] }[],
): readonly Accepted[] =>
  places.flatMap(({ environment, accepted = [] }) =>
    accepted.map(({ about, how }) => ({ about: `${environment}: ${about}`, how })),
  );

const cut = (text: string): string => (text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`);
