// What an installed package stands on. A checkout knows more (scripts/parts) and can bring it; here a person
// installs it.
import { findProgram } from '../io/command.ts';

/** One line of `soakgate doctor`. */
export interface Finding {
  readonly part: string;
  readonly state: 'there' | 'missing' | 'not needed yet';
  readonly what: string;
  readonly remedy: string;
}

const CLIENT = ['psql', 'pg_dump', 'pg_restore'];

/** Node itself, and what the worker of an environment calls: nobody else needs it, so it is never missing. */
export function installedParts(env: Readonly<Record<string, string | undefined>>): readonly Finding[] {
  const path = [env['SOAKGATE_PG_BIN'], env['PATH']].filter(Boolean).join(':');
  return [
    { part: 'Node.js', state: 'there', what: process.version, remedy: '' },
    forWorkers('git', ['git'], path, 'apt-get install git'),
    forWorkers(
      'PostgreSQL client',
      CLIENT,
      path,
      'apt-get install postgresql-client, of the version of your server; or SOAKGATE_PG_BIN',
    ),
    {
      part: 'demo',
      state: 'not needed yet',
      what: 'not in the npm package',
      remedy: 'it plays an example of the checkout: npm run demo there',
    },
  ];
}

function forWorkers(part: string, programs: readonly string[], path: string, remedy: string): Finding {
  const found = programs.map((name) => findProgram(name, path));
  const lacking = programs.filter((_, at) => found[at] === undefined);
  if (lacking.length === 0) return { part, state: 'there', what: found[0] ?? '', remedy: '' };
  return {
    part,
    state: 'not needed yet',
    what: `no ${lacking.join(', ')}`,
    remedy: `before the worker of an environment: ${remedy}`,
  };
}
