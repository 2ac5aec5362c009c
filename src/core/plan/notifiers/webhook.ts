// A POST of JSON to an address that is a secret.
import { defineNotifier, secretRef } from './notifier.ts';

export const webhook = defineNotifier({
  key: 'webhook',
  meaning: 'Posts JSON to an address; any answer of 200 to 299 is a delivery',
  options: { url: secretRef.describe('Reference to the address, which is a secret') },
});
