// Who is asked what: the same question in the same words, and nothing where nobody can do anything.
import { expect, test } from 'vitest';
import { type Missing, questionOf, type Waiting } from '../../src/core/waiting.ts';

const gate = (...missing: Missing[]): Waiting => ({ kind: 'gate', environment: 'production', missing });
const facts: Missing = { kind: 'facts', facts: ['soak-passed'] };
const lead: Missing = { kind: 'approval', roles: ['lead'] };
const both: Missing = { kind: 'approval', roles: ['lead', 'dba'] };
const uat: Missing = { kind: 'attestation', id: 'uat', role: 'lead' };

test('a gate whose facts are missing asks nobody to approve; when they hold it asks, and once', () => {
  expect(questionOf(gate(facts, both))).toBeNull();
  expect(questionOf(gate(both))).toBe(questionOf(gate(lead)));
  expect(questionOf(gate(both))).not.toBeNull();
  expect(questionOf(gate(facts, uat, both)), 'a statement may be signed early').not.toBeNull();
  expect(questionOf(gate(facts, uat, both))).not.toBe(questionOf(gate(uat, both)));
});

test('what fails in other words is the same question', () => {
  const failing = (why: string): Waiting => ({ kind: 'failing', environment: 'staging', what: 'close', why });
  expect(questionOf(failing('after 3 ms'))).toBe(questionOf(failing('after 5 ms')));
});

test.each(['resume', 'earlier-environment', 'next-environment', 'closing', 'next-check'] as const)(
  '%s asks nobody',
  (kind) => expect(questionOf({ kind, environment: 'staging' })).toBeNull(),
);
