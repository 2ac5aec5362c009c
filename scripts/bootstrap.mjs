// Makes every part available, then starts the demo or the tests. Plain JavaScript without packages: it runs before `npm ci`.
import { say } from './parts/announce.mjs';
import { inCheckout } from './parts/checkout.mjs';
import { handOver } from './parts/hand-over.mjs';
import { ensureParts } from './parts/index.mjs';

const commands = {
  demo: { tests: false, start: [inCheckout('bin', 'soakgate.mjs'), 'demo'] },
  test: { tests: true, start: [inCheckout('scripts', 'test.mjs')] },
};

const [name, ...args] = process.argv.slice(2);
const command = Object.hasOwn(commands, name ?? '') ? commands[name] : undefined;

if (!command) {
  say('usage: node scripts/bootstrap.mjs <demo|test> [arguments]');
  process.exitCode = 2;
} else {
  try {
    const { node, env } = await ensureParts(command);
    process.exitCode = await handOver(node, [...command.start, ...args], { ...process.env, ...env });
  } catch (error) {
    say(error.next ? `${error.message}\nsoakgate: next: ${error.next}` : error.stack);
    process.exitCode = 1;
  }
}
