// The list of runtimes: one line each.
import { checkoutLink } from './checkout-link.ts';
import type { OfService, Runtime } from './runtime.ts';

const runtimes = { 'checkout-link': checkoutLink } as const satisfies Readonly<Record<string, Runtime>>;

/** The runtime of a service. There is one so far; with a second, the environment's file says which. */
export const runtimeOf = (_of: OfService): Runtime => runtimes['checkout-link'];
