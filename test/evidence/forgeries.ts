// What can be done to a package before it is sealed again, and what must be said of it.
import { randomUUID } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createKey } from '../../src/io/trust.ts';
import { canonicalText, sha256Of, signedBy, textUnder } from '../support/another-judge.ts';
import { twoPlacesPlan } from '../support/two-places.ts';

/** Files of private keys. */
export interface Kit {
  readonly control: string;
  person(name: 'ann' | 'lea' | 'dan'): string;
  worker(environment: string): Promise<string>;
}

export const pem = (file: string) => readFile(file, 'utf8');
export const json = async (path: string) => JSON.parse(await readFile(path, 'utf8'));
const inApprovals = async (at: string, begins: string): Promise<string> => {
  const all = await readdir(join(at, 'approvals/production'));
  return join(
    at,
    'approvals/production',
    all.find((name) => name.startsWith(begins))!,
  );
};

/** One forgery: what it does to a copy that is sealed again afterwards, and what must be said of it. */
export type Forgery = [what: string, said: RegExp, act: (at: string, kit: Kit) => Promise<unknown>];

const rewrite = async (path: string, change: (record: any) => unknown) => {
  const record = await json(path);
  await writeFile(path, JSON.stringify(change(record) ?? record));
};
const approval = (at: string, person: string, change: (record: any) => unknown) =>
  inApprovals(at, `approve-${person}`).then((path) => rewrite(path, change));
const signAgain = async (record: any, keyFile: string) => {
  const { message, person, body } = record.signed;
  record.signed.signature = signedBy(await pem(keyFile), textUnder(message, person, body));
};
const signedAnew = async (at: string, begins: string, change: (record: any) => void, keyFile: string) => {
  const path = await inApprovals(at, begins);
  const record = await json(path);
  change(record);
  await signAgain(record, keyFile);
  await writeFile(path, JSON.stringify(record));
};
const stated = async (at: string, file: string, change: (body: any) => void, keyFile?: string) => {
  const path = join(at, 'statements', file);
  const record = await json(path);
  change(record.body);
  if (keyFile)
    record.signature = signedBy(
      await pem(keyFile),
      textUnder('statement', record.body.environment, record.body),
    );
  await writeFile(path, JSON.stringify(record));
};
/** A gate report as the holder of the control key can make it, under its new hash. */
const reported = async (at: string, kit: Kit, change: (report: any) => void) => {
  const path = join(at, 'approvals/production/gate-report.json');
  const record = await json(path);
  change(record.gateReport);
  record.hash = sha256Of(canonicalText(record.gateReport));
  record.signature = signedBy(await pem(kit.control), textUnder('gateReport', 'control', record.gateReport));
  await writeFile(path, JSON.stringify(record));
  return record.hash as string;
};

export const forgeries: readonly Forgery[] = [
  [
    'an approval with one changed word',
    /dan approved.*bad signature/u,
    (at) =>
      approval(at, 'dan', (record) => {
        record.signed.body.comment = 'no';
      }),
  ],
  [
    'an approval with a signature of nobody',
    /dan approved.*bad signature/u,
    (at) =>
      approval(at, 'dan', (record) => {
        record.signed.signature = `${'A'.repeat(86)}==`;
      }),
  ],
  [
    'an approval by a person whom nobody knows',
    /mallory approved.*unknown key: the trusted files name no mallory/u,
    (at) =>
      approval(at, 'dan', (record) => {
        record.signed.person = 'mallory';
      }),
  ],
  [
    'an approval signed with a key of his own in the name of dan',
    /dan approved.*bad signature/u,
    async (at) => {
      const own = join(at, '../own.key');
      await writeFile(own, createKey().privatePem);
      await signedAnew(at, 'approve-dan', () => undefined, own);
    },
  ],
  [
    'an approval by the control key in the name of dan',
    /dan approved.*bad signature/u,
    (at, kit) => signedAnew(at, 'approve-dan', () => undefined, kit.control),
  ],
  [
    'the signature of lea under the name of dan',
    /dan approved.*bad signature/u,
    (at, kit) => signedAnew(at, 'approve-dan', () => undefined, kit.person('lea')),
  ],
  [
    'an approval that is taken away',
    /production: nobody vouches for the approval by dba/u,
    async (at) => rm(await inApprovals(at, 'approve-dan')),
  ],
  [
    'an attestation that is taken away',
    /production: nobody vouches for the attestation tried by lead/u,
    async (at) => rm(await inApprovals(at, 'attest-lea')),
  ],
  [
    'a role that a person does not have',
    /the package gives lea the role dba/u,
    async (at) => {
      await rm(await inApprovals(at, 'approve-dan'));
      await approval(at, 'lea', (record) => {
        record.roles = ['lead', 'dba'];
      });
    },
  ],
  [
    'an approval of another deployment',
    /dan approved.*another deployment/u,
    (at, kit) =>
      signedAnew(
        at,
        'approve-dan',
        (record) => {
          record.signed.body.deployment = 'orders-other';
        },
        kit.person('dan'),
      ),
  ],
  [
    'an approval of another commit',
    /dan approved.*it is about another commit/u,
    (at, kit) =>
      signedAnew(
        at,
        'approve-dan',
        (record) => {
          record.signed.body.commit = '0'.repeat(40);
        },
        kit.person('dan'),
      ),
  ],
  [
    'an approval of a report that is not here',
    /dan approved.*is not in the package/u,
    (at, kit) =>
      signedAnew(
        at,
        'approve-dan',
        (record) => {
          record.signed.body.gateReport = '0'.repeat(64);
        },
        kit.person('dan'),
      ),
  ],
  [
    'an approval by the requester',
    /ann approved.*ann requested this deployment and cannot approve it/u,
    (at, kit) =>
      signedAnew(
        at,
        'approve-dan',
        (record) => {
          record.signed.person = 'ann';
          record.roles = [];
        },
        kit.person('ann'),
      ),
  ],
  [
    'an approval that counted after it had expired',
    /dan approved.*it counted at .* and expired at/u,
    (at) =>
      approval(at, 'dan', (record) => {
        record.at = '2099-01-01T00:00:00.000Z';
      }),
  ],
  [
    'one approval as two',
    /lea approved.*it is in the package twice/u,
    async (at) =>
      cp(await inApprovals(at, 'approve-lea'), join(at, 'approvals/production/approve-lea-again.json')),
  ],
  [
    'an attestation of other words',
    /lea attested.*it attests other words/u,
    (at, kit) =>
      signedAnew(
        at,
        'attest-lea',
        (record) => {
          record.signed.body.text = 'I have seen nothing';
        },
        kit.person('lea'),
      ),
  ],
  [
    'another plan',
    /ann started.*bad signature/u,
    (at) => writeFile(join(at, 'plan.yaml'), twoPlacesPlan('staging', 'production', { soak: '1h' })),
  ],
  [
    'another commit in the start',
    /ann started.*bad signature/u,
    (at) =>
      rewrite(join(at, 'approvals/start.json'), (record) => {
        record.body.commit = '0'.repeat(40);
      }),
  ],
  ['no start', /there is no signed start/u, (at) => rm(join(at, 'approvals/start.json'))],
  [
    'a start by somebody unknown',
    /mallory started.*unknown key/u,
    (at) =>
      rewrite(join(at, 'approvals/start.json'), (record) => {
        record.person = 'mallory';
      }),
  ],
  [
    'a longer soak than was stated',
    /worker of staging soak passed.*bad signature/u,
    (at) =>
      stated(at, 'staging-soak-passed.json', (body) => {
        body.soak.observedMs = 604_800_000;
      }),
  ],
  [
    'a statement signed with the control key',
    /worker of production closed.*bad signature/u,
    (at, kit) => stated(at, 'production-closed.json', () => undefined, kit.control),
  ],
  [
    'a statement about another deployment',
    /worker of staging closed.*about another deployment/u,
    async (at, kit) =>
      stated(
        at,
        'staging-closed.json',
        (body) => {
          body.deployment = 'orders-other';
        },
        await kit.worker('staging'),
      ),
  ],
  [
    'the statement of staging as that of production',
    /worker of production closed.*bad signature/u,
    async (at, kit) => stated(at, 'production-closed.json', () => undefined, await kit.worker('staging')),
  ],
  [
    'no closing statement',
    /production: nobody vouches for how it ended/u,
    (at) => rm(join(at, 'statements/production-closed.json')),
  ],
  [
    'a failure that was closed as passed',
    /completed, but production was closed as restored/u,
    async (at, kit) =>
      stated(
        at,
        'production-closed.json',
        (body) => {
          body.outcome = 'restored';
        },
        await kit.worker('production'),
      ),
  ],
  [
    'a gate report with other facts, sealed again',
    /dan approved.*is not in the package/u,
    async (at, kit) => {
      await rm(join(at, 'gate-reports'), { recursive: true });
      await reported(at, kit, (report) => {
        report.summary = ['all is well'];
      });
    },
  ],
  [
    'a gate report without its statement',
    /no worker has signed what the gate report rests on/u,
    (at, kit) =>
      reported(at, kit, (report) => {
        report.statement = null;
      }),
  ],
  [
    'a gate report whose statement was written anew',
    /rests on a statement that is not believed: bad signature/u,
    (at, kit) =>
      reported(at, kit, (report) => {
        report.statement.body.soak.samples += 1;
      }),
  ],
  [
    'a gate report whose own words were changed',
    /its hash does not match/u,
    (at) =>
      rewrite(join(at, 'approvals/production/gate-report.json'), (record) => {
        record.gateReport.summary = [];
      }),
  ],
  [
    'a gate report that the control key has not sealed',
    /the gate report is not sealed by the control key/u,
    (at) =>
      rewrite(join(at, 'approvals/production/gate-report.json'), (record) => {
        record.signature = `${'A'.repeat(86)}==`;
      }),
  ],
  [
    'a gate report about another plan',
    /the gate report is about another plan/u,
    (at, kit) =>
      reported(at, kit, (report) => {
        report.plan = '0'.repeat(64);
      }),
  ],
  [
    'a gate report without one of its facts',
    /does not say that soak-passed holds/u,
    (at, kit) =>
      reported(at, kit, (report) => {
        delete report.facts['soak-passed'];
      }),
  ],
  [
    'a soak that was shorter than the plan asks, stated by the worker itself',
    /staging was observed 1 ms; the plan asks for 2000 ms/u,
    async (at, kit) => {
      const staging = await pem(await kit.worker('staging'));
      await reported(at, kit, ({ statement }) => {
        statement.body.soak.observedMs = 1;
        statement.signature = signedBy(staging, textUnder('statement', 'staging', statement.body));
      });
    },
  ],
  [
    'no gate report',
    /the gate report that opened it is not in the package/u,
    async (at) => {
      await rm(join(at, 'approvals/production/gate-report.json'));
    },
  ],
  [
    'everything that is signed taken away',
    /there is no signed start/u,
    async (at) => {
      for (const name of ['approvals', 'statements', 'gate-reports', 'refused'])
        await rm(join(at, name), { recursive: true });
    },
  ],
  [
    'rubbish among the approvals',
    /approvals\/production\/approve-x\.json: is no signed record/u,
    (at) => writeFile(join(at, 'approvals/production/approve-x.json'), '{"signed":null}'),
  ],
  [
    'nesting without end',
    /dan approved.*bad signature/u,
    (at) =>
      writeFile(
        join(at, 'approvals/production/approve-deep.json'),
        `{"signed":{"message":"approve","person":"dan","signature":"","body":{"deployment":"d","environment":"production","nonce":"n","expires":"","deep":${'['.repeat(50_000)}${']'.repeat(50_000)}}},"roles":[],"at":null}`,
      ),
  ],
  [
    'a file of another kind among the approvals',
    /nothing of that name stands among signed records/u,
    (at) => writeFile(join(at, 'approvals/production/note.txt'), 'trust me'),
  ],
  [
    'a refused approval as one that counted',
    /dan approved.*bad signature/u,
    async (at) => {
      const record = await json(await inApprovals(at, 'approve-dan'));
      record.signed.body.nonce = randomUUID();
      await writeFile(join(at, 'approvals/production/approve-dan-new.json'), JSON.stringify(record));
    },
  ],
  [
    'a good approval hidden under Refused',
    /production: nobody vouches for the approval by dba/u,
    async (at) => {
      await mkdir(join(at, 'refused/production'), { recursive: true });
      await rename(
        await inApprovals(at, 'approve-dan'),
        join(at, 'refused/production/approve-dan-hidden.json'),
      );
    },
  ],
];
