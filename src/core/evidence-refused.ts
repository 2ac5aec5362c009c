// The part of SUMMARY.md about messages that decided nothing.
import { count } from './count.ts';
import { table } from './evidence-delta.ts';
import type { RefusedRecord } from './refused.ts';

const REFUSED_SHOWN = 100;

/** What did not count, as the messages themselves say who sent them. */
export function refusedLines({ refused, more, unreadable }: RefusedRecord): readonly string[] {
  const hidden = more + Math.max(0, refused.length - REFUSED_SHOWN);
  if (refused.length + hidden + unreadable === 0) return [];
  const rows = refused
    .slice(0, REFUSED_SHOWN)
    .map(({ person, message, environment, why, file }) => [
      file === undefined ? `unproven: ${person}` : person,
      message,
      environment,
      why,
    ]);
  return [
    '## Refused',
    '',
    'These messages decided nothing.',
    '',
    ...table('', ['who', 'what', 'where', 'why'], rows),
    ...(hidden > 0 ? [`- and ${hidden} more`] : []),
    ...(unreadable > 0 ? [`- ${count(unreadable, 'signal')} that nobody could read`] : []),
    ...(hidden + unreadable > 0 ? [''] : []),
  ];
}
