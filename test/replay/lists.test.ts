// What people sign is the hash of a step list: a change of the compiler that alters one goes red here.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hashJson } from '../../src/io/trust.ts';
import { pinnedPlans, pinPath, pinText } from '../support/pinned-lists.ts';

interface Pin {
  readonly environments: Readonly<Record<string, { readonly sha256: string; readonly list: unknown }>>;
}

describe('pinned step lists', () => {
  test.each(Object.keys(pinnedPlans))('%s compiles to the list that is pinned', (name) => {
    expect(
      pinText(name),
      'a signed hash changed: a start that was signed before it is refused after it. If that is ' +
        'meant: npm run generate -- lists',
    ).toBe(readFileSync(pinPath(name), 'utf8'));
  });

  test.each(Object.keys(pinnedPlans))('%s: each hash is that of the list beside it', (name) => {
    const { environments } = JSON.parse(readFileSync(pinPath(name), 'utf8')) as Pin;
    for (const { sha256, list } of Object.values(environments)) expect(hashJson(list)).toBe(sha256);
  });

  test('no pin is left behind', () => {
    const names = Object.keys(pinnedPlans).map((name) => `${name}.json`);
    expect(readdirSync(dirname(pinPath('orders'))).sort()).toEqual(names.sort());
  });
});
