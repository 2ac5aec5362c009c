// What a person sees before signing an approval.
import type { SealedGateReport } from '../../core/messages.ts';
import { type Paint, visible } from '../terminal.ts';
import { table } from './table.ts';

export function renderGateReport({ gateReport, hash }: SealedGateReport, paint: Paint): readonly string[] {
  const facts = Object.entries(gateReport.facts).map(([name, { holds, why }]) => [
    holds
      ? ({ text: '✓ holds', tone: 'good' } as const)
      : ({ text: '✗ does not hold', tone: 'bad' } as const),
    name,
    visible(why),
  ]);
  return [
    paint(
      'strong',
      `Gate report ${gateReport.number} of ${gateReport.environment}, deployment ${gateReport.deployment}`,
    ),
    `  requested by  ${visible(gateReport.requester)}`,
    `  commit        ${gateReport.commit}`,
    `  plan          ${gateReport.plan}`,
    `  steps         ${gateReport.list}`,
    `  gate report       ${hash} (hash computed on this machine)`,
    ...(facts.length > 0 ? ['  facts'] : ['  facts         none required']),
    ...table(facts, paint).map((line) => `    ${line}`),
    ...(gateReport.summary.length > 0 ? ['  receipts'] : []),
    ...gateReport.summary.map((line) => `    ${visible(line)}`),
  ];
}
