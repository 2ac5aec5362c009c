// run: one of the release's own commands, and its declared undo.
import { tail } from '../../src/io/redact.ts';
import type { StepResult, UndoResult } from '../frame/run-step.ts';
import type { Work } from '../frame/step-context.ts';

interface Spec {
  readonly command: readonly string[];
  readonly undo?: { readonly command: readonly string[] };
}

export async function run(work: Work): Promise<StepResult> {
  const { command } = work.step.spec as unknown as Spec;
  const result = await work.runRelease(command, { readOnly: !work.step.changes.includes('database') });
  const words = tail(result.stderr || result.stdout, 2_000)
    .split('\n')
    .filter((line) => line.length > 0);
  if (result.exitCode !== 0)
    return {
      verdict: result.exitCode === null ? 'error' : 'fail',
      summary: `ended with ${result.exitCode ?? result.killedBy}`,
      details: words,
    };
  return { verdict: 'pass', summary: `ended with 0 after ${Math.round(result.tookMs)} ms` };
}

export async function undoRun(work: Work): Promise<UndoResult> {
  const { undo } = work.step.spec as unknown as Spec;
  if (!undo) return { done: true, summary: 'nothing declared', differences: [] };
  const result = await work.runRelease(undo.command);
  if (result.exitCode === 0)
    return { done: true, summary: `${undo.command.join(' ')} ended with 0`, differences: [] };
  return {
    done: false,
    summary: `ended with ${result.exitCode ?? result.killedBy}`,
    differences: [
      `${undo.command.join(' ')} ended with ${result.exitCode ?? result.killedBy}: ${tail(result.stderr || result.stdout, 500)}`,
    ],
  };
}
