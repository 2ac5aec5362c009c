// The tests that several lines rest on.
import { testsOf } from './line.ts';

export const backup = testsOf('activities/backup');
export const checks = testsOf('activities/checks');
export const data = testsOf('activities/data');
export const django = testsOf('activities/django');
export const http = testsOf('activities/http');
export const log = testsOf('activities/log-and-sessions');
export const lines = testsOf('core/log-lines');
export const followed = testsOf('io/followed-file')('T-55');
export const observe = testsOf('activities/observe');
export const restore = testsOf('activities/restore');
export const service = testsOf('activities/service');
export const decisions = testsOf('core/decisions');
export const guardrails = testsOf('core/guardrails');
export const lint = testsOf('core/plan/lint');
export const plan = testsOf('core/characters-plan');
export const soak = testsOf('core/soak');
export const entry = testsOf('workflows/gate-entry');
export const fallbacks = testsOf('workflows/fallbacks');
export const rows = testsOf('examples/validation-system/data');
export const server = testsOf('examples/validation-system/server');
export const suite = testsOf('examples/validation-system/suite');
export const week = testsOf('workflows/characters-week');
export const breaks = testsOf('journeys/characters-breaks');

/** The whole journey of the genuine product: every step of its plan has passed in both environments. */
export const whole = testsOf('journeys/characters')('S0, S1: the whole way, completed');
export const all89 = suite('are 89, all pass, none is skipped, and nothing stays behind');
export const flows = server("plays the plan's flows on v-next, and v-prev fails them");
export const found = rows('the check finds exactly the bad rows, and writes nothing');
export const mended = rows(
  'the fix changes exactly what a machine may, says old and new, and people do the rest',
);
export const upAndDown = rows('on clean rows they go up, and down to where they were');
export const forwardFallbacks = rows('the forward fallbacks relax the age, or take the constraints away');
export const sealedFacts = decisions('every sealed fact rests on a receipt; the last one of its kind counts');
export const rehearsed = django('SQL of exactly the range, both ways; rehearsed up, down and up on the copy');
export const thereAndBack = django('each once, however often it is tried; back to exactly what was recorded');
export const proven = backup('is exact while others write');
export const unproven = testsOf('activities/target-lock')('without a proven backup');
export const servedBefore = service('the release that served before serves again');
export const inTheSoak = breaks("performance, then in production's watch");
export const sevenDays = testsOf('workflows/completed')(
  'seven days of soak, two approvals, production and its watch: completed',
);
export const recordedWeek = week('of what was recorded: passed after exactly seven clean days');
export const cleanDays = testsOf('workflows/observation')(
  'an objective that is missed starts the clean days again',
);
export const samples = server('has what the metrics of the plan point to, with samples');
export const counted = server('has counted what the other tests did');
export const accepted = testsOf('examples/validation-system/repository')(
  'is one that Soakgate accepts, and reads the same under YAML 1.1',
);
export const commands = testsOf('examples/validation-system/repository')('names what the release has');
export const printed = testsOf('cli/offline')('steps, changes, undos, gates and fallbacks');
export const closed = service('closed outside, asked inside, left through a look; its undo too, and twice');
export const staysClosed = service('a site that is not well stays behind its flag, and the command is named');
