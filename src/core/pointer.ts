// JSON pointers (RFC 6901): how a plan names a place in an answer.
import type { Json } from './plan/plan.ts';

/** The value at a pointer, or undefined when there is none. */
export function valueAt(document: Json | undefined, pointer: string): Json | undefined {
  if (pointer === '') return document;
  let current: Json | undefined = document;
  for (const part of pointer.replace(/^\//u, '').split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof current !== 'object' || current === null) return undefined;
    current = Array.isArray(current)
      ? current[Number(key)]
      : Object.hasOwn(current, key)
        ? (current as Record<string, Json>)[key]
        : undefined;
  }
  return current;
}
