// switch: makes the new checkout the serving one.
import { z } from 'zod';
import type { Remark } from '../complaint.ts';
import { perEnvironment } from '../lint-lines.ts';
import { defineStep, line, type RulePlan } from './step.ts';

export const switchStep = defineStep({
  key: 'switch',
  form: z.literal('release').describe('Switches to the new release'),
  toSpec: (file) => file,
  kinds: {
    switchRelease: line<Readonly<Record<string, never>>>()({
      changes: ['files'],
      undo: { undo: 'revertSwitch', family: 'code' },
      programs: [],
    }),
  },
  lines: (_, name) => [{ kind: 'switchRelease', name, spec: {} }],
  rules: [isRestarted],
});

/** A release that was switched to serves only after a restart. */
function isRestarted(plan: RulePlan<{ switch: 'release'; restart: unknown }>): readonly Remark[] {
  return perEnvironment(plan, ({ services: [service] }, lines): readonly Remark[] => {
    if (!service) return [];
    const last = lines.findLastIndex(({ step }) => step.switch);
    const found = lines[last];
    if (!found || lines.slice(last + 1).some(({ step }) => step.restart !== undefined)) return [];
    return [
      {
        path: ['steps', found.at, 'switch'],
        at: 'key',
        message: 'no restart follows, so the old release goes on serving',
        hint: `add a step: - { step: restart, restart: [${service.name}] }`,
      },
    ];
  });
}
