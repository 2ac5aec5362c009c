// Where Soakgate lies, and its modules: built ones in the npm package, sources in a checkout.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const soakgate = process.env.SOAKGATE ?? '/opt/soakgate/node_modules/soakgate';

/** The example's own folder. */
export const orders = process.env.ORDERS ?? '/opt/orders';
/** The folder of all volumes. */
export const volumes = process.env.VOLUMES ?? '/srv';
export const command = join(soakgate, 'bin', 'soakgate.mjs');

/** `src/io/settings`, by the name of its source. */
export function load(name) {
  const source = join(soakgate, `${name}.ts`);
  return import(pathToFileURL(existsSync(source) ? source : join(soakgate, 'dist', `${name}.js`)).href);
}
