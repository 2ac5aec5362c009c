// run: one of the release's own commands, and its declared undo.
import type { RunSpec } from '../../src/core/plan/steps/run.ts';
import { specOf } from '../../src/core/specs.ts';
import { tail } from '../../src/io/redact.ts';
import type { StepResult, UndoResult } from '../frame/receipt.ts';
import type { Work } from '../frame/step-context.ts';

export async function run(work: Work, { command }: RunSpec): Promise<StepResult> {
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
  const undo = specOf(work.step, 'run')?.undo;
  if (!undo) return { done: true, summary: 'no undo declared', differences: [] };
  const result = await work.runRelease(undo.command);
  if (result.exitCode === 0)
    return { done: true, summary: `${undo.command.join(' ')} ended with 0`, differences: [] };
  return {
    done: false,
    summary: `ended with ${result.exitCode ?? result.killedBy}`,
    differences: [
      `${undo.command.join(' ')} ended with ${result.exitCode ?? result.killedBy}: ` +
        `${tail(result.stderr || result.stdout, 500)}`,
    ],
  };
}
