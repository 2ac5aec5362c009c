// Looks into JSON of any form: what is not of the form asked for is empty.

/** The members of an object; none when it is none. */
export function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

/** The items of a list; none when it is none. */
export function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The texts among these. */
export function words(values: readonly unknown[]): readonly string[] {
  return values.filter((value) => typeof value === 'string');
}
