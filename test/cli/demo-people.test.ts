// What the demo's people answer when nobody sits there.
import { expect, test } from 'vitest';
import { unattended } from '../../src/cli/demo/people.ts';

test.each([
  ['continue | downgrade', 'continue'],
  ['extend | stop | downgrade', 'stop'],
  ['retry | leave-as-is', 'leave-as-is'],
  ['relax | restore | downgrade', 'downgrade'],
])('%s: %s, a word that is offered', (offered, word) => expect(unattended(offered.split(' | '))).toBe(word));
