// What a person sees before signing an approval.
import type { SealedDossier } from '../../core/messages.ts';
import { type Paint, visible } from '../terminal.ts';
import { table } from './table.ts';

export function renderDossier({ dossier, hash }: SealedDossier, paint: Paint): readonly string[] {
  const facts = Object.entries(dossier.facts).map(([name, { holds, why }]) => [
    holds ? ({ text: '✓ holds', tone: 'good' } as const) : ({ text: '✗ does not hold', tone: 'bad' } as const),
    name,
    visible(why),
  ]);
  return [
    paint('strong', `Dossier ${dossier.number} of ${dossier.environment}, deployment ${dossier.deployment}`),
    `  requested by  ${visible(dossier.requester)}`,
    `  commit        ${dossier.commit}`,
    `  plan          ${dossier.plan}`,
    `  steps         ${dossier.list}`,
    `  dossier       ${hash} (computed here)`,
    ...(facts.length > 0 ? ['  facts'] : ['  facts         none are asked for']),
    ...table(facts, paint).map((line) => `    ${line}`),
    ...(dossier.summary.length > 0 ? ['  what happened'] : []),
    ...dossier.summary.map((line) => `    ${visible(line)}`),
  ];
}
