// Records the histories that test/replay replays, all or those of the runs that are named: npm run generate
// -- histories
//   SOAKGATE_TIME_SKIPPING=<server> SOAKGATE_TEMPORAL=<server> node scripts/record-histories.ts [RUN …]
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { filesOf, plays, record } from '../test/support/recordings.ts';
import { devServer, openTheatre, timeSkippingServer } from '../test/support/theatre.ts';

if (!timeSkippingServer || !devServer)
  throw new Error('SOAKGATE_TIME_SKIPPING and SOAKGATE_TEMPORAL must name the two test servers');
const folder = fileURLToPath(new URL('../test/replay/histories/', import.meta.url));
await mkdir(folder, { recursive: true });
const named = process.argv.slice(2);
const unknown = named.filter((name) => !(name in plays));
if (unknown.length > 0)
  throw new Error(`no such run: ${unknown.join(', ')}; there is ${Object.keys(plays).join(', ')}`);
for (const skips of [true, undefined]) {
  const names = Object.keys(plays).filter(
    (name) => plays[name]!.skips === skips && (named.length === 0 || named.includes(name)),
  );
  if (names.length === 0) continue;
  const theatre = await openTheatre({ real: !skips });
  for (const name of names) {
    const texts = await record(theatre, name).catch((error: unknown) => {
      console.error(`${name}: not recorded: ${(error as Error).message}`);
      process.exitCode = 1;
      return {};
    });
    for (const [file, text] of Object.entries(texts)) {
      await writeFile(folder + file, text);
      console.log(`${file}: ${text.split('\n').length - 3} events, ${text.length} characters`);
    }
  }
  await theatre.close();
}
// What no run of today writes is not kept.
const written = Object.entries(plays).flatMap(([name, play]) => filesOf(name, play));
for (const file of await readdir(folder)) if (!written.includes(file)) await rm(folder + file);
