// Writes the pinned step lists anew, when a change of what people sign is meant: npm run generate -- lists
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { pinnedPlans, pinPath, pinText } from '../test/support/pinned-lists.ts';

for (const name of Object.keys(pinnedPlans)) {
  mkdirSync(dirname(pinPath(name)), { recursive: true });
  writeFileSync(pinPath(name), pinText(name));
  console.log(`${name}: pinned`);
}
