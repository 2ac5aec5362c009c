// Constraints by name or pattern, valid and in force, from the catalog.
import type { ConstraintExpectation } from '../../src/core/plan/steps/check.ts';
import { withSession } from '../../src/io/postgres.ts';
import type { StepResult } from '../frame/receipt.ts';
import type { Work } from '../frame/step-context.ts';

export async function checkConstraints(
  work: Work,
  expectations: readonly ConstraintExpectation[],
): Promise<StepResult> {
  const found = await withSession(work.url, work.tag, (session) =>
    session.query<{ name: string; valid: boolean }>(
      `select conname as name, convalidated as valid from pg_constraint k join pg_namespace n
        on n.oid = k.connamespace where n.nspname !~ '^pg_'`,
    ),
  );
  const lines = expectations.map((expected) => judge(expected, found));
  const bad = lines.filter((line) => !line.ok);
  return {
    verdict: bad.length === 0 ? 'pass' : 'fail',
    summary: `${lines.length - bad.length} of ${lines.length} expectations on constraints hold`,
    details: (bad.length > 0 ? bad : lines).map((line) => line.text),
  };
}

function judge(
  expected: ConstraintExpectation,
  found: readonly { name: string; valid: boolean }[],
): { ok: boolean; text: string } {
  if (typeof expected === 'string') {
    const one = found.find((candidate) => candidate.name === expected);
    if (!one) return { ok: false, text: `${expected} is missing` };
    return one.valid
      ? { ok: true, text: `${expected} is valid` }
      : { ok: false, text: `${expected} is not validated` };
  }
  const pattern = new RegExp(
    `^${expected.like
      .split('*')
      .map((part) => part.replace(/[.+?^${}()|[\]\\]/gu, '\\$&'))
      .join('.*')}$`,
    'u',
  );
  const valid = found.filter((candidate) => pattern.test(candidate.name) && candidate.valid);
  return {
    ok: valid.length === expected.exactly,
    text: `${expected.like}: ${valid.length} valid, expected exactly ${expected.exactly}`,
  };
}
