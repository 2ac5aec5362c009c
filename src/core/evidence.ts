// What the evidence says, as text: the manifest and the SUMMARY that one would send to a manager.
import type { CloseEvidenceInput, EnvironmentOutcome } from './activities.ts';
import type { Pace } from './pace.ts';

export interface Manifest {
  readonly soakgate: 1;
  readonly deployment: string;
  readonly outcome: string;
  readonly files: Readonly<Record<string, { readonly sha256: string; readonly size: number }>>;
}

export interface SignedManifest extends Manifest {
  readonly hash: string;
  readonly signature: string;
}

export function manifestText(manifest: Manifest, hash: string, signature: string): string {
  return `${JSON.stringify({ ...manifest, hash, signature } satisfies SignedManifest, null, 1)}\n`;
}

/** What changed, what was checked with which figures, who decided, what was not proven. */
export function summaryText({ deployment, outcome, start, environments }: CloseEvidenceInput): string {
  const { body } = start;
  return [
    `# ${deployment}: ${outcome}`,
    '',
    ...(body.pace ? [stamp(body.pace), ''] : []),
    `Requested by ${start.person}; commit \`${body.commit}\`; plan \`${body.plan.slice(0, 16)}\`.`,
    '',
    ...environments.flatMap(environmentText),
    '## Not proven',
    '',
    ...unproven(body.pace),
    '',
  ].join('\n');
}

const stamp = (pace: Pace): string => `> **DEMO**: a compressed run. ${words(pace.nominalMs)} of the plan passed in ${words(pace.realMs)}.`;

function words(ms: number): string {
  if (ms >= 86_400_000) return `${+(ms / 86_400_000).toFixed(1)} days`;
  return ms >= 3_600_000 ? `${+(ms / 3_600_000).toFixed(1)} hours` : `${+(ms / 1000).toFixed(1)} seconds`;
}

function environmentText({ environment, ending, receipts, undos, left, soak, comparison }: EnvironmentOutcome): string[] {
  return [
    `## ${environment}: ${ending}`,
    '',
    '| step | verdict | took | what |',
    '|---|---|---|---|',
    ...receipts.map(
      (receipt) => `| ${receipt.step} | ${receipt.verdict} | ${(receipt.tookMs / 1000).toFixed(1)} s | ${receipt.summary.replaceAll('|', '\\|')} |`,
    ),
    '',
    ...(soak ? ['Observed:', '', ...soak.split('\n').map((line) => `- ${line}`), ''] : []),
    ...(undos.length > 0 ? ['Undone:', '', ...undos.map((undo) => `- ${undo.undo} (${undo.step}): ${undo.summary}`), ''] : []),
    ...(comparison ? [`Compared with the record: ${comparison.summary}.`, '', ...comparison.writtenSince.map((line) => `- ${line}`), ''] : []),
    ...(left.length > 0 ? ['Still dirty:', '', ...left.map((line) => `- ${line}`), ''] : []),
  ];
}

function unproven(pace: Pace | null): string[] {
  return [
    '- Sequences are compared only as "not behind": a snapshot does not hold them.',
    ...(pace ? ['- The lengths of soak and watch: this run was compressed.'] : []),
  ];
}
