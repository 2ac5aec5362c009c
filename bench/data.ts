// What the product adds to the work of the database itself: ratios in one run, against the same work by hand.
//   node bench/data.ts [rows]            default: 1,000,000 rows (smoke); the full run has 10,000,000
import { join } from 'node:path';
import type { Comparison } from '../src/core/activities.ts';
import { run } from '../test/support/programs.ts';
import { BACKUP, type Hands, MIGRATE, permit, query, raiseBench } from '../test/support/hands.ts';

const ROWS = Number(process.argv[2] ?? 1_000_000);
const ROUNDS = 3;
const bench = await raiseBench();

const rules = Array.from({ length: 7 }, (_, at) => `{ rule: r${at}, table: big, bad: "n${at} < 0" }`);
const steps = `${BACKUP}  - step: data
    data:
      rules:
        - { rule: fixed, table: big, bad: "v = 'bad'", fix: "v = 'good'" }
        - ${rules.join('\n        - ')}
${MIGRATE}`;
const columns = Array.from({ length: 7 }, (_, at) => `n${at} int not null default ${at}`).join(', ');
const hands = await permit(bench, { steps });
await hands.sql(
  `create table big (id bigint primary key, v text not null, filler text, ${columns});
  insert into big (id, v, filler) select n, case when n % 20 = 0 then 'bad' else 'good' end, repeat('x', 100)
  from generate_series(1, ${ROWS}) n; vacuum analyze big`.split('; vacuum')[0]!,
);
await hands.sql('vacuum analyze big');

const timed = async (act: () => Promise<unknown>): Promise<number> => {
  const started = performance.now();
  await act();
  return (performance.now() - started) / 1000;
};
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const table: string[] = ['| bench | by hand (s) | Soakgate (s) | ratio | goal |', '|---|---|---|---|---|'];
function note(what: string, byHand: number, ours: number, goal: string): void {
  const [a, b, ratio] = [byHand, ours, ours / byHand].map((value) => value.toFixed(2));
  table.push(`| ${what} | ${a} | ${b} | ${ratio} | ${goal} |`);
}

const tool = (name: string) => join(bench.postgres.bin, name);
const file = join(bench.folder, 'by-hand.dump');
async function dumpByHand(target: Hands): Promise<void> {
  await run(tool('pg_dump'), ['-Fc', '--compress=3', '--file', file, '--dbname', target.url]);
}

async function restoreByHand(): Promise<void> {
  await query(bench.postgres.url('postgres'), 'drop database if exists by_hand');
  await query(bench.postgres.url('postgres'), 'create database by_hand template template0');
  await run(tool('pg_restore'), ['--single-transaction', '--dbname', bench.postgres.url('by_hand'), file]);
}

const pass = `select count(*), sum(hashtextextended((t.*)::text, 0)::numeric) from big t`;
let mostMore = 0;

/** One row of the application's since the backup; `others` says what else was written since. */
async function compareRollback(others: string, restored: number): Promise<void> {
  const hash = await timed(() => hands.sql(pass));
  await hands.sql("update big set filler = 'the application' where id = 1");
  const before = process.memoryUsage().rss;
  const watch = setInterval(() => (mostMore = Math.max(mostMore, process.memoryUsage().rss - before)), 20);
  const compared = await timed(async () => {
    const { writtenSince, equal } = await hands.call<Comparison>('compareRollback', {
      rollout: hands.rollout,
      ran: [],
    });
    if (!equal || writtenSince.length !== 1)
      throw new Error(`compared wrongly: ${JSON.stringify(writtenSince)}`);
  });
  clearInterval(watch);
  note(
    `comparison, ${others} ÷ (two hash passes and the restore by hand)`,
    2 * hash + restored,
    compared,
    '≤ 1.0',
  );
}

try {
  const dumped = await timed(() => dumpByHand(hands));
  const restored = await timed(restoreByHand);
  await query(bench.postgres.url('postgres'), 'drop database by_hand');
  note(
    'backup with proof ÷ pg_dump, then pg_restore',
    dumped + restored,
    await timed(() => hands.run('backup')),
    '≤ 1.3',
  );

  const [scans, checks]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    scans.push(await timed(() => hands.sql('select count(*) from big')));
    checks.push(await timed(() => hands.run('data', { attempt: round + 1 })));
  }
  note('data check, 8 rules ÷ count(*)', median(scans), median(checks), '≤ 2.0');

  await compareRollback('one row written by the application', restored);

  const naive = await timed(() =>
    hands.sql('create table copy as table big; alter table copy add primary key (id)'),
  )
    .then(() => hands.sql('vacuum analyze copy'))
    .then(() => timed(() => hands.sql("update copy set v = 'good' where v = 'bad'")));
  await hands.sql('drop table copy');
  const fix = await timed(() => hands.run('data: fix'));
  note('fix of 5 % ÷ naive UPDATE', naive, fix, '≤ 1.0');
  note('undo of that fix ÷ the fix', fix, await timed(() => hands.undo('data: fix')), '≤ 2.0');

  await compareRollback('and 5 % of the rows fixed and put back', restored);
  console.log(`${ROWS} rows\n\n${table.join('\n')}\n\ncomparison: ${Math.round(mostMore / 1e6)} MB more`);
} finally {
  await bench.stop();
}
