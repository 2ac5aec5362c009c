// Records the histories that test/replay replays:
//   SOAKGATE_TIME_SKIPPING=<server> node scripts/record-histories.ts
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { outcomes, recordOutcome } from '../test/support/recordings.ts';
import { openTheatre, timeSkippingServer } from '../test/support/theatre.ts';

if (!timeSkippingServer) throw new Error('SOAKGATE_TIME_SKIPPING must name the time-skipping test server');
const folder = fileURLToPath(new URL('../test/replay/histories/', import.meta.url));
await mkdir(folder, { recursive: true });
const theatre = await openTheatre();
for (const outcome of outcomes) {
  for (const [name, text] of Object.entries(await recordOutcome(theatre, outcome))) {
    await writeFile(folder + name, text);
    console.log(
      `${name}: ${(JSON.parse(text) as { events: unknown[] }).events.length} events, ${text.length} characters`,
    );
  }
}
await theatre.close();
