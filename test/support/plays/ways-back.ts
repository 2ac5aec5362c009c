// Forward fixes, restores, every kind of step and its undo, and a rollback that shuts what users reach.
import { storyPlan } from '../story-plan.ts';
import { asked, decide, ends, failing, low, mustCount, only, type Plays, short, stuck } from './play.ts';

const ways = storyPlan({
  ...short,
  only: 'staging',
  fallbacks:
    '  relax: { forward: 0003_relax }\n  restore: { approved: { roles: [dba] }, loses: ' +
    'writes-since-backup }\n',
  matrix: `  - { when: { monitor: shop }, ask: [continue, relax, restore, downgrade], severity: high }
  - { when: { step: refused }, ask: [relax, restore, downgrade], severity: high }
`,
});

const SERVICES = '    services: [{ name: web,';
/** Every kind of step, behind a closed site. */
const everything = only
  .replace(SERVICES, `    maintenance: { flag-file: /var/www/closed }\n${SERVICES}`)
  .replace(
    'steps:\n',
    `steps:
  - { step: preflight, preflight: { tools: [git] } }
  - { step: baseline, baseline: { http: { get: [/, /health] } } }
  - { step: close, maintenance: enter }
`,
  )
  .replace(
    '  - { step: migrate, ',
    '  - { step: settings, sql: { file: settings.sql, undo: settings-undo.sql } }\n  - { step: migrate, ',
  )
  .replace(
    '  - { step: switch, ',
    '  - { step: report, run: { command: [node, report.mjs], undo: { command: [node, unreport.mjs] ' +
      '}, changes: [files] } }\n  - { step: switch, ',
  )
  .replace(
    'monitors:\n',
    `  - { step: health, check: { http: { get: /health, within: 60s } } }
  - { step: paths, flows: flows/shop.yaml }
  - { step: open, maintenance: leave }
monitors:
`,
  );
const shutting = only.replace(
  SERVICES,
  `    maintenance: { flag-file: /var/www/closed }\n    rollback: { close: true, stop: [web] }\n${SERVICES}`,
);

export const waysBack: Plays = {
  'forward-fix': {
    play: async (theatre, name) => {
      let fixed = false;
      const run = await theatre.run(
        ways,
        {
          reads: low(() => fixed),
          steps: { 'forward relax': () => ((fixed = true), { summary: 'applied' }) },
        },
        { name },
      );
      await asked(run, 'continue | relax');
      await run.stands();
      await decide(run, 'relax');
      return ends(run, 'completed');
    },
  },
  'forward-fix-undone': {
    of: ['rollout'],
    play: async (theatre, name) => {
      const run = await theatre.run(ways, { steps: { refused: failing, restart: failing } }, { name });
      await asked(run, 'relax | restore');
      await decide(run, 'relax');
      return ends(run, 'rolled-back');
    },
  },
  restored: {
    play: async (theatre, name) => {
      const run = await theatre.run(ways, { steps: { refused: failing } }, { name });
      await asked(run, 'relax | restore');
      await run.send('decide', 'lea', 'staging', { decision: 'restore' }).then(mustCount);
      await run.until(
        'approval',
        ({ waitingFor }) => waitingFor?.startsWith('approval of restore by dba') === true,
        'staging',
      );
      await decide(run, 'restore');
      return ends(run, 'rolled-back');
    },
  },
  'rollback-asked-for': {
    of: ['rollout'],
    play: async (theatre, name) => {
      const run = await theatre.run(ways, { stands: () => true }, { name });
      await run.stands();
      await run.send('rollback', 'dan', 'staging', { fallback: 'restore' }).then(mustCount);
      return ends(run, 'rolled-back');
    },
  },
  maintenance: {
    of: ['rollout'],
    play: async (theatre, name) => ends(await theatre.run(everything, {}, { name }), 'completed'),
  },
  'everything-undone': {
    of: ['rollout'],
    play: async (theatre, name) =>
      ends(await theatre.run(everything, { steps: { paths: failing }, undos: {} }, { name }), 'rolled-back'),
  },
  'migration-failed': {
    of: ['rollout'],
    play: async (theatre, name) =>
      ends(await theatre.run(shutting, { steps: { migrate: failing } }, { name }), 'rolled-back'),
  },
  'differences-mended': {
    of: ['rollout'],
    play: async (theatre, name) => {
      const run = await theatre.run(
        only,
        {
          steps: { refused: failing },
          compare: (times) => ({
            equal: times > 1,
            differences: times > 1 ? [] : ['index orders_idx was left behind'],
            writtenSince: [],
            summary: 'compared',
          }),
        },
        { name },
      );
      await stuck(run);
      await decide(run, 'retry');
      return ends(run, 'rolled-back');
    },
  },
};
