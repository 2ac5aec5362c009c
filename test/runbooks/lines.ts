// Every line of the runbooks that a system of this version serves, and what shows it; docs/runbooks.md is
// made from it.
import type { Line } from './line.ts';
import { s0 } from './s0.ts';
import { s0After } from './s0-after.ts';
import { s1 } from './s1.ts';

export interface System {
  readonly name: string;
  readonly title: string;
  readonly lines: readonly Line[];
}

export const systems: readonly System[] = [
  { name: 'S0', title: 'validation system, the guide for staging', lines: [...s0, ...s0After] },
  { name: 'S1', title: 'validation system, the checklist for staging and production', lines: s1 },
];
