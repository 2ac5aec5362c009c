// The checkout that the parts are for, and the versions it pins.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const checkout = fileURLToPath(new URL('../..', import.meta.url));
export const inCheckout = (...names) => join(checkout, ...names);

export function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

export const sdkVersion = () => readJson(inCheckout('package.json')).dependencies['@temporalio/worker'];
