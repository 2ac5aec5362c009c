// What the demo's people answer when nobody sits there.
import { expect, test } from 'vitest';
import { unattended } from '../../src/cli/demo/people.ts';

test.each([
  ['a decision (continue | downgrade) about performance: slower or failing', 'continue'],
  ['a decision (extend | stop | downgrade) about the soak is over, but it has not passed', 'stop'],
  ['a decision (retry | leave-as-is) about the differences that remain', 'leave-as-is'],
  ['a decision (relax | restore | downgrade) about refused: failing', 'downgrade'],
])('%s: %s, a word that is offered', (question, word) => expect(unattended(question)).toBe(word));
