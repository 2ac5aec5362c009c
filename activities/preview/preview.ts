// preview: the SQL of exactly the pending range, its lint, and a rehearsal on a restored copy; nothing in the
// target changes.
import { beyondDatabase } from '../../src/core/cluster-statements.ts';
import { count } from '../../src/core/count.ts';
import type { PreviewSpec } from '../../src/core/plan/steps/preview.ts';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fail } from '../../src/core/failures.ts';
import { worst } from '../../src/core/verdict.ts';
import type { StepResult } from '../frame/receipt.ts';
import { tail } from '../../src/io/redact.ts';
import { migratorOf } from '../migrators/index.ts';
import type { MigrationPreview } from '../migrators/migrator.ts';
import { limitsBeforehand } from '../migrators/sql-file.ts';
import { rehearse } from './rehearsal.ts';
import { evidenceFolder } from '../frame/artifact-paths.ts';
import type { Work } from '../frame/step-context.ts';

export async function preview(work: Work, spec: PreviewSpec): Promise<StepResult> {
  const migrations = work.list.migrations ?? fail('MIGRATION_MISMATCH', 'the plan declares no migrations');
  const migrator = migratorOf(migrations.tool);
  const files = await migrator.preview(work, migrations.pending);
  const folder = `${evidenceFolder(work.rollout.deployment)}/baseline/${work.rollout.environment}/preview`;
  for (const { name, up, down } of files) {
    await work.world.artifacts.put(`${folder}/${name}.sql`, `${up}\n`);
    await work.world.artifacts.put(`${folder}/${name}.down.sql`, `${down ?? '-- none'}\n`);
  }
  const faults = files.flatMap(({ name, down, faults: found = [] }) => [
    ...(down === null ? [`${name} has no down migration`] : []),
    ...found.map((fault) => `${name} ${fault}`),
  ]);
  const notes = files.flatMap(notesOf);
  const lint = spec.lint === 'skip' ? [] : await lintSql(work, files);
  const beyond = clusterLines(files);
  const rehearsal =
    spec.rehearse === 'skip' || beyond.length > 0
      ? null
      : await rehearse(work, migrator, files, spec.rehearse, spec.moves ?? []);
  const lintFails = spec.lint === 'error' && lint.some((finding) => finding.level === 'Error');
  const linted = lint
    .slice(0, LISTED)
    .map((finding) => `lint ${finding.level.toLowerCase()}: ${finding.text}`);
  const more =
    lint.length > LISTED ? [`lint: ${lint.length - LISTED} more, all of them in the log of this step`] : [];
  const read = [...faults, ...beyond, ...notes, ...linted, ...more];
  const rehearsed = rehearsal?.lines ?? [];
  return {
    verdict: worst([
      faults.length + beyond.length > 0 || lintFails ? 'fail' : 'pass',
      ...(rehearsal ? [rehearsal.verdict] : []),
    ]),
    summary: [
      `${count(files.length, 'migration')}`,
      `${count(lint.length, 'lint finding')}`,
      rehearsal?.summary ?? 'not rehearsed',
    ].join(', '),
    // What the rows themselves say weighs more than what the text looks like.
    details: rehearsal?.verdict === 'fail' ? [...rehearsed, ...read] : [...read, ...rehearsed],
    figures: {
      migrations: files.length,
      lint: lint.length,
      rehearsed: rehearsal?.verdict === 'pass' ? spec.rehearse : 'no',
      ...rehearsal?.figures,
    },
  };
}

const notesOf = (file: MigrationPreview): readonly string[] => [
  ...(file.notes ?? []).map((note) => `${file.name} ${note}`),
  ...limitsBeforehand(file),
];

/** A line for each statement that a rehearsal would do for real. */
const clusterLines = (files: readonly MigrationPreview[]): readonly string[] =>
  files.flatMap(({ name, up, down }) =>
    [up, down ?? ''].flatMap((text) =>
      beyondDatabase(text).map(
        (what) =>
          `${name} ${what} acts on more than this database: a rehearsal on a copy would do it for real, so ` +
          'none was made; do it by hand before the deployment, and take it out of the migration',
      ),
    ),
  );

const LISTED = 20;
/** Soakgate sets both limits in each session, and each migration has its transaction. */
const NOT_ASKED = ['require-lock-timeout', 'require-statement-timeout'];

interface LintFinding {
  readonly level: string;
  readonly text: string;
}

/** squawk's findings; its exit code only says that there are some. */
async function lintSql(
  work: Work,
  files: readonly { readonly name: string; readonly up: string }[],
): Promise<readonly LintFinding[]> {
  const squawk = join(
    dirname(createRequire(import.meta.url).resolve('squawk-cli/package.json')),
    'js',
    'bin',
    'squawk',
  );
  const found: LintFinding[] = [];
  for (const { name } of files) {
    const path = await work.world.artifacts.path(
      `${evidenceFolder(work.rollout.deployment)}/baseline/${work.rollout.environment}/preview/${name}.sql`,
    );
    const argv = [
      process.execPath,
      squawk,
      '--reporter=json',
      '--assume-in-transaction',
      `--exclude=${NOT_ASKED.join(',')}`,
      path,
    ];
    const result = await work.runTool(argv);
    // 0 and 1 are answers; anything else has looked at nothing (rule 1).
    if (result.exitCode !== 0 && result.exitCode !== 1)
      fail('STEP_CRASHED', `squawk ended with ${result.exitCode ?? result.killedBy} at ${name}`, [
        tail(result.stderr, 1_000),
      ]);
    const list = JSON.parse(result.stdout || '[]') as {
      level: string;
      rule_name: string;
      message: string;
      line: number;
    }[];
    found.push(
      ...list.map((finding) => ({
        level: finding.level,
        text: `${name}:${finding.line + 1} ${finding.rule_name}: ${finding.message}`,
      })),
    );
  }
  // The worst first: what is cut off is least.
  return found.sort((one, other) => Number(other.level === 'Error') - Number(one.level === 'Error'));
}
