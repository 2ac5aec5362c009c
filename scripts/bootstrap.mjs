// Makes every part available, then starts the demo, the tests or another command of package.json. Plain
// JavaScript without packages: it runs before `npm ci`.
import { say } from './parts/announce.mjs';
import { inCheckout } from './parts/checkout.mjs';
import { handOver } from './parts/hand-over.mjs';
import { ensurePackages, ensureParts } from './parts/index.mjs';

const vitest = inCheckout('node_modules', 'vitest', 'vitest.mjs');
const generate = inCheckout('scripts', 'generate.ts');
/** Fewer runs of the properties: the whole suite has them all. */
const quick = { SOAKGATE_QUICK: '1' };

const commands = {
  demo: { tests: false, start: [inCheckout('bin', 'soakgate.mjs'), 'demo'] },
  test: { tests: true, start: [inCheckout('scripts', 'test.mjs')] },
  field: { tests: true, start: [inCheckout('scripts', 'field.mjs')] },
  check: { packagesOnly: true, start: [inCheckout('scripts', 'check.mjs')] },
  unit: { packagesOnly: true, start: [vitest, 'run', '--project', 'unit'], env: quick },
  watch: { tests: true, start: [vitest, 'watch'], alone: ['--project', 'unit'], env: quick },
  new: { packagesOnly: true, start: [inCheckout('scripts', 'new.ts')] },
  generate: { tests: true, start: [generate], alone: [] },
};

const [name, ...args] = process.argv.slice(2);
const command = Object.hasOwn(commands, name ?? '') ? commands[name] : undefined;

if (!command) {
  say(`usage: node scripts/bootstrap.mjs <${Object.keys(commands).join('|')}> [arguments]`);
  process.exitCode = 2;
} else {
  try {
    // Without arguments only what needs no server.
    const alone = args.length === 0 ? command.alone : undefined;
    const { node, env } = command.packagesOnly || alone ? await ensurePackages() : await ensureParts(command);
    process.exitCode = await handOver(node, [...command.start, ...(alone ?? []), ...args], {
      ...process.env,
      ...env,
      ...command.env,
    });
  } catch (error) {
    say(error.next ? `${error.message}\nsoakgate: next: ${error.next}` : error.stack);
    process.exitCode = 1;
  }
}
