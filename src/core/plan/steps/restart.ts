// restart: services of the environment, one after the other, each a line of its own.
import { z } from 'zod';
import { name as serviceName } from '../forms.ts';
import { defineStep, line } from './step.ts';

export interface RestartSpec {
  readonly service: string;
}

export const restart = defineStep({
  key: 'restart',
  form: z.array(serviceName).min(1).describe('Restarts services of the environment, in this order'),
  toSpec: (file): readonly string[] => file,
  kinds: {
    restart: line<RestartSpec>()({
      changes: ['processes'],
      undo: { undo: 'revertRestart', family: 'code', args: ({ service }) => ({ service }) },
      programs: [],
    }),
  },
  lines: (services, name) =>
    services.map((service) => ({
      kind: 'restart' as const,
      name: services.length > 1 ? `${name} ${service}` : name,
      spec: { service },
    })),
  rules: [],
});
