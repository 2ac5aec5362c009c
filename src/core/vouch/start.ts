// Who vouches for the start: the person who signed the plan, its lists and its commit.
import { type Case, type Found, type Line, nothing, roleFault, short, signerOf } from './case.ts';

/** The start is signed for every environment at once, so every environment must know who signed it. */
export function vouchStart(subject: Case): Found {
  const { start } = subject.records;
  if (!start) return { ...nothing, faults: ['approvals/start.json: there is no signed start'] };
  const { body, person: name } = start;
  const found = Object.keys(body.lists).map((environment) => ({
    environment,
    signer: signerOf(subject, start, environment),
  }));
  const faults = found.flatMap(({ environment, signer }) => {
    if ('fault' in signer) return [signer.fault];
    return roleFault(subject, signer.person, environment, 'start') ?? [];
  });
  if (body.deployment !== subject.manifest.deployment) faults.push(`it is about ${body.deployment}`);
  if (found.length === 0) faults.push('it names no environment');
  const roles = found.flatMap(({ signer }) => ('person' in signer ? (signer.person.roles ?? []) : []));
  const line: Line = {
    who: name,
    roles: [...new Set(roles)],
    what: `started ${body.deployment}: plan ${short(body.plan)}, commit ${short(body.commit)}`,
    file: 'approvals/start.json and plan.yaml',
    fault: faults.length > 0 ? [...new Set(faults)].join('; ') : null,
  };
  return { ...nothing, lines: [line] };
}

/** Whether the plan that was signed is the one that was compiled here; only then a gate can be looked up in it. */
export function listsFound({ start, lists, check }: Case): Found {
  if (!start) return nothing;
  if (!lists)
    return {
      ...nothing,
      faults: ['plan.yaml: what its gates ask for is not known, because it is not vouched for'],
    };
  const other = Object.entries(start.lists).filter(([environment, hash]) => {
    const list = lists.get(environment);
    return !list || check.hash(list) !== hash;
  });
  return {
    ...nothing,
    notes: other.map(
      ([environment]) =>
        `the list of ${environment} that was signed is not what this version compiles from plan.yaml; ` +
        `check with the version that ran the deployment`,
    ),
  };
}
